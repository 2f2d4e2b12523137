"""The judge on replays that nobody ran: a perfect history, spoiled in one place, breaks that alone.

No service is started.
"""

import pytest
from played_replay import AFTER, BEFORE, CHANGED, first, perfect, quick, readings, requests

from fsdl_course.capstone import checker, timetable
from fsdl_course.capstone.generator import AGAIN, CARD, CLASH, WRONG
from fsdl_course.capstone.points import BROKEN, HELD, TABLE, UNKNOWN


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    quick(monkeypatch)


def verdicts(case) -> dict[str, str]:
    return {verdict.criterion: verdict.verdict for verdict in checker.check(case)}


def other(case) -> dict[str, str]:
    """What is not held."""
    return {name: verdict for name, verdict in verdicts(case).items() if verdict != HELD}


def late_answers(case) -> list[dict]:
    limit = CHANGED + timetable.SWITCH
    cards = (e for e in case.of("answer") if requests()[e["number"]].kind == CARD)
    return [event for event in cards if event["sent"] > limit]


def test_a_perfect_history_is_held_in_everything():
    assert list(verdicts(perfect()).values()) == [HELD] * len(TABLE)


def _spoil_answer(kind: str, **change):
    return lambda case: first(case, "answer", kind).update(change)


def _wrong_digits(case):
    first(case, "answer", CARD)["fields"]["digits"] = "77"


def _other_id(case):
    event = first(case, "answer", CARD)
    event["fields"] = {**event["fields"], "id": "c0000000000"}


def _digits_as_number(case):
    event = first(case, "answer", CARD)
    event["fields"] = {**event["fields"], "digits": "(int)"}


def _again_by_another_version(case):
    event = first(case, "answer", AGAIN)
    request = requests()[event["number"]]
    version = AFTER if event["fields"]["version"] == BEFORE else BEFORE
    digits = readings()[version][request.card]
    event["fields"] = {"id": request.id, "digits": digits, "version": version}


def _forgotten(case):
    first(case, "looked up").update(status=404, fields={})


def _changed_later(case):
    event = first(case, "looked up")
    event["fields"] = {**event["fields"], "digits": "1"}


def _nobody_answered(case):
    case.events.remove(first(case, "answer", CARD))


def _died(case):
    case.events.append({"t": 9.0, "what": "died", "status": 0, "killed": 0, "log": ""})


def _killed_for_memory(case):
    first(case, "sample")["killed"] = 1


def _too_much_once(case):
    first(case, "sample")["memory"] = 385 << 20


def _grows(case):
    for number, event in enumerate(case.of("sample")):
        event["memory"] = (90 + 2 * number) << 20


def _old_version_at_the_end(case):
    for event in late_answers(case)[:1]:
        request = requests()[event["number"]]
        was = dict(event["fields"])
        event["fields"].update(digits=readings()[BEFORE][request.card], version=BEFORE)
        for look in case.of("looked up") + case.of("answer"):
            if look["fields"] == was:
                look["fields"] = event["fields"]


def _kept_in_an_earlier_run(case):
    first(case, "pictures")["kept"] = ["the log"]


@pytest.mark.parametrize(
    ("spoil", "breaks"),
    [
        (_wrong_digits, {"correctness", "lost"}),
        (_other_id, {"correctness", "lost"}),
        (_digits_as_number, {"correctness", "lost"}),
        (_again_by_another_version, {"correctness"}),
        (_forgotten, {"lost"}),
        (_changed_later, {"lost"}),
        (_nobody_answered, {"lost"}),
        (_spoil_answer(AGAIN, status=500, fields={}), {"lost"}),
        (_spoil_answer(CARD, status=422, fields={"field": "picture"}), {"lost", "refusals"}),
        (_spoil_answer(WRONG, status=500), {"refusals"}),
        (_spoil_answer(WRONG, status=200, fields={"digits": "1"}), {"refusals"}),
        (_spoil_answer(WRONG, fields={"field": "name"}), {"refusals"}),
        (_spoil_answer(CLASH, status=422), {"refusals"}),
        (_spoil_answer(CARD, tries=2, refused=1, without_time=1), {"refusals"}),
        (lambda case: first(case, "ended").update(status=None), {"recovery"}),
        (lambda case: first(case, "ended").update(status=137), {"recovery"}),
        (_died, {"recovery"}),
        (lambda case: case.events.append({"t": 8, "what": "disk full"}), {"recovery"}),
        (_killed_for_memory, {"memory"}),
        (_too_much_once, {"memory"}),
        (_grows, {"memory"}),
        (_old_version_at_the_end, {"versions"}),
        (lambda case: first(case, "ready").update(seconds=90.0), {"recovery", "start"}),
        (lambda case: first(case, "ready").update(first=503), {"start"}),
        (lambda case: first(case, "ready")["fields"].update(digits="1"), {"start"}),
        (lambda case: first(case, "ready").update(first_seconds=1.2), {"start"}),
        (lambda case: first(case, "over").update(cpu=300.0), {"cost"}),
        (_kept_in_an_earlier_run, {"privacy"}),
    ],
)
def test_one_fault_breaks_its_criterion_and_no_other(spoil, breaks):
    case = perfect()
    spoil(case)
    result = checker.check(case)
    assert {v.criterion for v in result if v.verdict != HELD} == breaks
    assert all(v.verdict == BROKEN and v.evidence for v in result if v.criterion in breaks)


def test_whoever_is_read_first_shows_that_a_start_can_read():
    """After a restart many callers have waited: the start's own card may stand behind theirs."""
    case = perfect()
    last = case.of("ready")[-1]
    answers = [e["t"] for e, r in case.answers(requests(), CARD)]
    assert sum(last["t"] - 1.5 < t < last["t"] - 0.5 for t in answers) > 2
    last.update(first_seconds=1.5)
    assert verdicts(case)["start"] == HELD
    case.events[:] = [
        e for e in case.events if e["what"] != "answer" or not last["t"] - 1.5 < e["t"] < last["t"]
    ]
    assert verdicts(case)["start"] == BROKEN


def test_waits_count_from_when_a_card_was_due_and_a_wrong_answer_is_none():
    case = perfect()
    cards = [e for e in case.of("answer") if requests()[e["number"]].kind == CARD]
    for event in cards[:10]:
        event.update(t=event["due"] + 2, sent=event["due"] + 1.9)  # the clients were late, for it was slow
    assert other(case) == {"p99": BROKEN}
    case = perfect()
    for event in case.of("answer")[:40]:
        event["fields"] = {**event["fields"], "digits": "1"}
    assert other(case)["p99"] == BROKEN


def test_a_machine_that_was_busy_leaves_slow_answers_unknown():
    case = perfect()
    for event in case.of("answer"):
        event["t"] = event["due"] + 5
    for event in case.of("reference")[::3]:
        event["ms"] = 90.0
    assert other(case)["p99"] == UNKNOWN


def test_a_slow_machine_lengthens_times_but_a_busy_one_does_not_lower_the_cost():
    case = perfect()
    for event in case.of("reference"):
        event["ms"] = 40.0  # others had the cores: the processor's own time is as before
    for event in case.of("answer"):
        event["t"] = event["due"] + 1.5
    first(case, "over")["cpu"] *= 12
    assert other(case) == {"cost": BROKEN}
    for event in case.of("reference"):
        event["cpu_ms"] = 96.0
    assert other(case) == {}


def test_who_reads_nothing_holds_nothing():
    """It needs no memory, keeps no picture and is never late: that proves nothing."""
    case = perfect()
    for event in case.of("answer"):
        if event["status"] == 200:
            event["fields"] = {**event["fields"], "digits": "123456"}
    assert HELD not in verdicts(case).values()
    case = perfect()
    for event in case.of("answer"):
        event.update(status=0, fields={}, problem="no answer in time")
    assert HELD not in verdicts(case).values()


def test_never_ready_is_broken_everywhere_and_a_history_cut_off_proves_nothing():
    case = perfect()
    case.events[:] = [{"t": 40.0, "what": "never ready", "why": "first", "status": None, "log": "Traceback"}]
    result = checker.check(case)
    assert {v.verdict for v in result} == {BROKEN} and result[0].evidence[0]["log"] == "Traceback"
    case = perfect()
    case.events.remove(first(case, "over"))
    assert set(verdicts(case).values()) == {UNKNOWN}


def test_a_replay_has_cards_that_the_two_versions_read_in_two_ways():
    """Else a service that names the new version and reads by the old one would pass."""
    case = perfect()
    late = [requests()[event["number"]].card for event in late_answers(case)]
    differ = [card for card in late if readings()[BEFORE][card] != readings()[AFTER][card]]
    assert len(differ) >= 10


def test_time_in_which_others_had_the_core_is_not_the_services():
    case = perfect()
    first(case, "ready").update(seconds=40.0, others=35.0)
    for event in case.of("answer"):
        event["t"] = event["due"] + 5
    first(case, "load over")["others_share"] = 0.6
    assert other(case) == {"p99": UNKNOWN}
    first(case, "ready").update(others=1.0)
    assert other(case) == {"p99": UNKNOWN, "start": BROKEN, "recovery": BROKEN}
