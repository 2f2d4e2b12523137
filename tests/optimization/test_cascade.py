"""The cascade: what it hands on, in which order the answers come, and how its threshold is chosen."""

import numpy as np
import pytest

from fsdl_deploy.cards import cards
from fsdl_deploy.optimization.cascade import ESCALATED, SURE, CascadeReader, threshold
from fsdl_deploy.reader import OnnxReader
from fsdl_deploy.reading import Reading


class Fake:
    def __init__(self, name, confidences):
        self.model_version, self.confidences, self.asked = name, confidences, []

    def read(self, images):
        self.asked += [int(image[0, 0]) for image in images]
        return [
            Reading(self.model_version, self.confidences[int(i[0, 0])], (), self.model_version)
            for i in images
        ]


def test_a_cascade_hands_on_what_is_unsure_and_keeps_the_order():
    first, second = Fake("small", [0.9, 0.2, 0.6, 0.59]), Fake("large", [0.1, 0.1, 0.1, 0.1])
    cascade = CascadeReader(first, second, sure=0.6)
    readings = cascade.read([np.full((32, 40), place, np.uint8) for place in range(4)])
    assert [reading.model_version for reading in readings] == ["small", "large", "small", "large"]
    assert second.asked == [1, 3] and cascade.share == 0.5
    cascade.read([np.zeros((32, 40), np.uint8)])
    assert second.asked == [1, 3] and cascade.share == 0.4


def test_the_threshold_hands_on_the_share_that_it_should():
    reader = OnnxReader()
    sure = threshold(reader, 300)
    assert sure == pytest.approx(SURE, abs=0.2)
    readings = reader.read([card.image for card in cards(300, "typical", seed=31)])
    assert np.mean([reading.confidence < sure for reading in readings]) == pytest.approx(ESCALATED, abs=0.01)
