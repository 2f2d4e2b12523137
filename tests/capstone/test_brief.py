"""The brief: the same for a name on every machine, and different from student to student."""

import pytest

from fsdl_course.capstone.brief import NIGHTS, brief_of, seed_of


def test_a_name_gives_one_brief_however_it_is_written():
    assert seed_of("Ann Lee") == seed_of("  ann lee ") != seed_of("Bob")
    assert brief_of(seed_of("Ann Lee")) == brief_of(seed_of("ann lee"))


def test_students_get_different_briefs():
    briefs = [brief_of(seed) for seed in range(30)]
    assert len({brief.text() for brief in briefs}) > 25
    assert {brief.night for brief in briefs} == set(NIGHTS)
    assert all((brief.replicas == 2) == (brief.night == NIGHTS[0]) for brief in briefs)


def test_a_seed_below_zero_is_refused():
    with pytest.raises(ValueError, match="from 0 up"):
        brief_of(-1)
