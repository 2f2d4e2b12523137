"""Fallbacks: who settles a card, that the deadline is kept whatever hangs, and what a threshold costs."""

import threading
import time

import numpy as np
import pytest

from fsdl_deploy.cards import cards
from fsdl_deploy.edge import fallback
from fsdl_deploy.edge.fallback import PLACES, FallbackReader, Outcomes, Settled, SlowReader
from fsdl_deploy.reading import Reading

IMAGE = np.zeros((32, 40), np.uint8)


class Says:
    def __init__(self, confidence, digits="12"):
        self.model_version, self.confidence, self.digits, self.asked = "fake", confidence, digits, 0

    def read(self, images):
        self.asked += 1
        return [Reading(self.digits, self.confidence, (), "fake")]


class Hangs:
    model_version = "hangs"

    def __init__(self):
        self.free = threading.Event()

    def read(self, images):
        self.free.wait(10)
        raise RuntimeError


class Fails:
    model_version = "fails"

    def read(self, images):
        raise OSError("no link")


def test_a_sure_device_answers_and_the_service_is_not_asked():
    service = Says(0.99)
    with FallbackReader(Says(0.6), service, sure=0.6) as reader:
        settled = reader.settle(IMAGE)
    assert (settled.by, settled.why, service.asked) == ("device", "", 0)


@pytest.mark.parametrize(
    ("device", "service", "by", "why"),
    [
        (Says(0.5), Says(0.9, "34"), "service", "device unsure"),
        (Fails(), Says(0.9, "34"), "service", "device failed: OSError"),
        (Says(0.5), Says(0.5), "person", "device unsure; service unsure"),
        (Says(0.5), Fails(), "person", "device unsure; service failed: OSError"),
        (Says(0.5), None, "person", "device unsure; no service"),
    ],
)
def test_the_next_one_is_asked(device, service, by, why):
    with FallbackReader(device, service, sure=0.6, deadline=5) as reader:
        settled = reader.settle(IMAGE)
    assert (settled.by, settled.why) == (by, why)
    assert (settled.reading.digits if settled.reading else None) == ("34" if by == "service" else None)


def test_whatever_hangs_the_customer_knows_at_the_deadline():
    device, service = Hangs(), Hangs()
    with FallbackReader(device, service, deadline=0.2) as reader:
        begin = time.perf_counter()
        settled = [reader.settle(IMAGE) for _ in range(5)]  # more than there are threads
        assert time.perf_counter() - begin < 5  # not the ten seconds for which one of them hangs
        device.free.set()
        service.free.set()
    assert {card.by for card in settled} == {"person"}
    assert settled[0].why == "device too slow; service too slow"
    assert all(card.seconds >= 0.2 for card in settled)


def test_a_slow_device_leaves_the_service_its_time():
    device = Hangs()
    with FallbackReader(device, Says(0.9), deadline=1.0, patience=0.2) as reader:
        settled = reader.settle(IMAGE)
        device.free.set()
    assert (settled.by, settled.why) == ("service", "device too slow")
    assert 0.2 <= settled.seconds < 1.0


def test_a_stand_in_for_a_slow_device_is_slow_or_fails():
    begin = time.perf_counter()
    SlowReader(Says(1.0), 0.1).read([IMAGE])
    assert time.perf_counter() - begin >= 0.1
    with pytest.raises(RuntimeError, match="does not load"):
        SlowReader(Says(1.0), None).read([IMAGE])


def test_outcomes_count_what_nobody_looks_at_again():
    deck = list(cards(4, "typical", seed=1))
    read = [
        Reading(deck[0].truth, 1, (), ""),
        Reading("", 1, (), ""),
        None,
        Reading(deck[3].truth, 1, (), ""),
    ]
    places = ("device", "service", "person", "device")
    settled = tuple(
        Settled(by, reading, seconds)
        for by, reading, seconds in zip(places, read, (0.1, 0.2, 0.5, 0.9), strict=True)
    )
    row = Outcomes("", settled, tuple(card.truth for card in deck), 0.5)
    assert (row.right, row.wrong, row.late, row.by("device"), row.by("person")) == (2, 1, 1, 2, 1)
    assert fallback.cost(row, wrong=4, person=2, late=1) == (4 + 2 + 1) / 4


def test_the_cheapest_threshold_hands_over_what_costs_more_read_wrongly():
    readings = [Reading(digits, sure, (), "") for digits, sure in (("1", 0.2), ("2", 0.5), ("3", 0.9))]
    truths = ["9", "2", "3"]
    assert fallback.cheapest(readings, truths, lambda wrong, person: 5 * wrong + person) == 0.5
    assert fallback.cheapest(readings, truths, lambda wrong, person: wrong + 5 * person) == 0.2
    truths[2] = "9"  # sure and wrong: nobody to be trusted
    assert fallback.cheapest(readings, truths, lambda wrong, person: 50 * wrong + person) > 1


def test_a_deadline_of_nothing_is_refused():
    with pytest.raises(ValueError, match="deadline above 0"):
        FallbackReader(Says(1.0), None, deadline=0)


def test_the_table_has_the_cost_that_the_function_computes():
    cards_settled = tuple(
        Settled(by, None if by == "person" else Reading("12", 1.0, (), ""), 0.1) for by in PLACES
    )
    row = Outcomes("a condition", cards_settled, ("12", "13", "14"), 0.5)
    assert fallback.table([row]).rows[0][-1] == f"{(fallback.WRONG + fallback.PERSON) / 3:.2f}"


def test_the_cost_of_a_threshold_is_that_of_who_reads_then():
    readings = [Reading("1", 0.9, (), ""), Reading("2", 0.3, (), ""), Reading("3", 0.6, (), "")]
    costs = fallback.costs(readings, ["1", "5", "4"], [0.0, 0.5, 0.6, 1.0])
    wrong, person = fallback.WRONG, fallback.PERSON
    assert costs == pytest.approx([2 * wrong / 3, (wrong + person) / 3, (wrong + person) / 3, person])
