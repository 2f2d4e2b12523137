"""A job under a simulated clock: how long a card waits, by arithmetic that needs no model."""

import pytest

from fsdl_course.batch import schedules
from fsdl_deploy.reader import OnnxReader


@pytest.fixture(scope="module")
def pictures(month_of_cards):
    files = sorted((month_of_cards / "2026-10" / "C0000").iterdir())[:8]
    return {file.stem: file for file in files}


def test_a_card_waits_for_the_next_run_and_one_at_a_run_for_the_run_after_it(pictures):
    arrivals = dict(zip(pictures, (0, 1, 2, 3, 4, 5, 6, 7), strict=True))
    waits = schedules.waits(arrivals, pictures, OnnxReader(), every=4, hours=8)
    assert waits == [4, 3, 2, 1, 4, 3, 2, 1]


def test_cards_after_the_last_run_and_cards_that_cannot_be_read_have_no_wait(pictures, tmp_path):
    (tmp_path / "C0000000.jpg").write_bytes(b"no picture")
    broken = pictures | {"C0000000": tmp_path / "C0000000.jpg"}
    arrivals = dict(zip(broken, (0, 1, 9), strict=False))
    waits = schedules.waits(arrivals, broken, OnnxReader(), every=4, hours=8)
    assert waits == [3]
