"""Addresses that fail: three ways, three sentences, none after much more than the timeout."""

import numpy as np
import pytest

from fsdl_course.service.failing_addresses import failing_addresses, failure

CARD = np.full((32, 72), 255, np.uint8)


def test_each_way_to_fail_has_a_sentence_of_its_own():
    with failing_addresses() as failing:
        failures = {name: failure(url, CARD, timeout=1) for name, url in failing.items()}
        assert len(set(failing.values())) == 3
    sentences = {name: sentence for name, (_, sentence) in failures.items()}
    assert len(set(sentences.values())) == 3 and all("127.0.0.1" not in text for text in sentences.values())
    assert "1 s" in sentences["nobody answers"]
    assert float(failures["nobody answers"][0].removesuffix(" s")) >= 1


def test_an_address_that_reads_is_no_failure(server):
    with pytest.raises(RuntimeError, match="gave a reading"):
        failure(server.url, CARD, timeout=20)
