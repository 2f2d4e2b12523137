"""What goes wrong, and when: everything once, and early enough to be judged."""

import pytest

from fsdl_course.capstone import timetable
from fsdl_course.capstone.practice import SECONDS


@pytest.mark.parametrize("seed", range(40))
def test_everything_goes_wrong_once_within_the_replay(seed):
    faults = timetable.faults(seed, SECONDS)
    names = [timetable.TERM, timetable.KILL, timetable.VERSION, timetable.BROKEN_VERSION]
    assert sorted(fault.what for fault in faults) == sorted(names)
    times = [fault.at for fault in faults]
    assert times == sorted(times) and times[-1] < SECONDS


@pytest.mark.parametrize("seed", range(40))
def test_a_new_version_leaves_time_for_cards_that_show_it(seed):
    (announced,) = (fault.at for fault in timetable.faults(seed, SECONDS) if fault.what == timetable.VERSION)
    assert SECONDS - announced - timetable.SWITCH > 5


@pytest.mark.parametrize("seed", range(40))
def test_a_restart_does_not_change_the_version_for_the_service(seed):
    """Whoever looks at ``active`` only when it starts is seen: cards come before the next restart."""
    faults = timetable.faults(seed, SECONDS)
    (announced,) = (fault.at for fault in faults if fault.what == timetable.VERSION)
    restarts = [f.at for f in faults if f.what in (timetable.TERM, timetable.KILL) and f.at > announced]
    assert all(at - announced - timetable.SWITCH > 2 for at in restarts)
    ends = sorted(fault.at for fault in faults if fault.what in (timetable.TERM, timetable.KILL))
    assert ends[1] - ends[0] > 4


def test_seeds_draw_every_order():
    orders = {tuple(fault.what for fault in timetable.faults(seed, SECONDS)) for seed in range(40)}
    assert len(orders) == 6
