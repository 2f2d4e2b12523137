"""The month's price: as many replicas as the busiest second needs, and no fewer than the night asks for."""

import dataclasses

import pytest

from fsdl_course.capstone import cost
from fsdl_course.capstone.brief import NIGHTS, brief_of

BRIEF = dataclasses.replace(brief_of(1), peak_rate=30.0, night=NIGHTS[1])


@pytest.mark.parametrize(("milliseconds", "replicas"), [(1, 1), (20, 1), (20.1, 2), (60, 3), (200, 10)])
def test_a_core_is_filled_to_three_fifths_in_the_busiest_second(milliseconds, replicas):
    assert cost.month(BRIEF, milliseconds / 1000, 512)[1] == replicas


def test_where_nobody_is_called_at_night_there_are_two():
    quiet = dataclasses.replace(BRIEF, night=NIGHTS[0])
    assert cost.month(quiet, 0.001, 512)[1] == 2
    assert cost.month(quiet, 0.001, 512)[0] == pytest.approx(2 * cost.month(BRIEF, 0.001, 512)[0])


def test_memory_costs_what_the_price_file_says():
    less, more = cost.month(BRIEF, 0.001, 512)[0], cost.month(BRIEF, 0.001, 1024)[0]
    memory = cost.prices()["fargate_gb_hour"].value * cost.HOURS
    assert more - less == pytest.approx(memory / 2)


@pytest.mark.parametrize("seed", range(60))
def test_every_budget_has_room_for_a_service_of_any_language(seed):
    """Ours take up to 12 ms of a core that reads in 8 ms, and up to 512 MiB; twice that has room, too."""
    brief = brief_of(seed)
    assert cost.month(brief, 0.024, 512)[0] <= brief.budget
