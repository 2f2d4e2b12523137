"""The load: the same from the same seed, another from another, with everything in it that is judged."""

import itertools

from fsdl_course.capstone import generator, timetable, wrong_pictures
from fsdl_course.capstone.brief import brief_of


def test_the_same_seed_gives_the_same_bytes():
    first, again = (generator.load(brief_of(1), 5, 8) for _ in range(2))
    assert first == again != generator.load(brief_of(1), 6, 8)


def test_every_kind_is_in_a_replay():
    requests = generator.load(brief_of(1), 5, 24)
    assert {r.kind for r in requests} == {"card", "wrong", "again", "clash"}
    assert {r.wrong for r in requests if r.wrong} == set(wrong_pictures.KINDS)
    first = {r.id: r for r in requests if r.kind == "card"}
    for request in requests:
        if request.kind in ("again", "clash"):
            assert (request.body == first[request.id].body) == (request.kind == "again")


def test_faults_come_in_other_orders_with_room_between_them():
    orders = set()
    for seed in range(20):
        faults = timetable.faults(seed, 24)
        orders.add(tuple(fault.what for fault in faults))
        apart = [b.at - a.at for a, b in itertools.pairwise(faults)]
        assert min(apart) >= 1.4 and faults[-1].at < 24
    assert len(orders) == 4
