"""A trial's own decisions, with no service: who is waited for, who died, what is added up."""

import json
import time
from types import SimpleNamespace

import pytest
from played_replay import requests

from fsdl_course.capstone import history, sandboxed, timetable, trial
from fsdl_course.capstone.client import ServiceAnswer
from fsdl_course.capstone.generator import AGAIN, CARD
from fsdl_course.capstone.history import History
from fsdl_course.capstone.meter import Taken
from fsdl_course.capstone.sandboxed import HandInPlace
from fsdl_course.capstone.trial import ServiceTrial

CARDS = [request for request in requests().values() if request.kind == CARD]


class Fake:
    """A service that runs, and takes what a test says."""

    def __init__(self, cpu=0.0, memory=10):
        self.status, self.cpu, self.memory, self.log, self.signals = None, cpu, memory, b"bye", []
        self.meter = SimpleNamespace(taken=lambda: Taken(self.memory, self.cpu, 0))

    def ended(self):
        return self.status

    def last_words(self):
        return self.log.decode()

    def terminate(self):
        self.signals.append("SIGTERM")
        self.status = 0

    def kill(self):
        self.signals.append("kill")


@pytest.fixture
def service(tmp_path, monkeypatch):
    """A trial whose service is a Fake; sleeping costs nothing."""
    for name in ("models", "state"):
        (tmp_path / name).mkdir()
    place = HandInPlace(tmp_path, tmp_path / "models", tmp_path / "state", 8010, 384)
    tried = ServiceTrial(("x",), place, 1, 5, 28.0, History(tmp_path / "history.jsonl"))
    monkeypatch.setattr(sandboxed, "start", lambda *_: Fake())
    tried.running, tried.serving = Fake(), True
    yield tried
    tried.over.set()
    tried.history.close()


def events(service, what):
    return [
        event for event in history.read(service.place.state.parent / "history.jsonl") if event["what"] == what
    ]


def answers(monkeypatch, *each):
    """What the service answers, one after the other; the last again and again."""
    left = list(each)
    monkeypatch.setattr(trial, "ask", lambda *_, **__: left.pop(0) if len(left) > 1 else left[0])
    monkeypatch.setattr(trial.time, "sleep", lambda _: None)


def test_who_is_sent_away_comes_again_and_it_is_counted(service, monkeypatch):
    refused, hasty = ServiceAnswer(503, {}, 1.0), ServiceAnswer(429, {}, None)
    answers(monkeypatch, refused, hasty, ServiceAnswer(0), ServiceAnswer(200, {"id": "c", "digits": "1"}))
    service.send(CARDS[0])
    (event,) = events(service, "answer")
    counts = [event[name] for name in ("status", "tries", "refused", "without_time")]
    assert counts == [200, 4, 2, 1] and CARDS[0].number in service.answered


def test_a_fault_of_the_service_is_final(service, monkeypatch):
    answers(monkeypatch, ServiceAnswer(500), ServiceAnswer(200, {"id": "c"}))
    service.send(CARDS[0])
    assert [event["status"] for event in events(service, "answer")] == [500]


def test_a_client_gives_up_but_not_in_the_middle_of_a_restart(service):
    service.history.zero -= 60  # a minute of load
    now = service.history.now()
    request = SimpleNamespace(at=now - 20)
    assert service.patience(request) < 0
    service.restarting = True
    assert service.patience(request) == trial.GIVE_UP
    service.restarting, service.restarted = False, now - 1
    assert 13 < service.patience(request) < 15


def test_a_card_is_not_sent_again_before_it_was_answered(service, monkeypatch):
    monkeypatch.setattr(trial, "ask", lambda *_, **__: pytest.fail("nobody is to be asked"))
    service.send(next(request for request in requests().values() if request.kind == AGAIN))
    assert len(events(service, "skipped")) == 1 and events(service, "answer") == []


def test_a_service_that_ends_by_itself_is_in_the_history_once(service):
    service.running.status = 0
    service.look_whether_it_lives(service.running)
    service.look_whether_it_lives(service.running)
    (died,) = events(service, "died")
    assert (died["status"], died["log"]) == (0, "bye")


@pytest.mark.parametrize("what", [timetable.TERM, timetable.KILL])
def test_an_end_that_was_asked_for_is_no_death(service, monkeypatch, what):
    monkeypatch.setattr(service, "start", lambda why: True)
    running = service.running
    service.disturb(what)
    service.look_whether_it_lives(running)
    assert events(service, "died") == []
    assert running.signals == (["SIGTERM", "kill"] if what == timetable.TERM else ["kill"])
    assert [e["status"] for e in events(service, "ended")] == ([0] if what == timetable.TERM else [])


def test_it_died_just_before_it_was_to_be_ended_is_noticed(service, monkeypatch):
    monkeypatch.setattr(service, "start", lambda why: True)
    service.running.status = 0
    service.disturb(timetable.TERM)
    assert len(events(service, "died")) == 1


def test_work_counts_from_when_it_is_ready_and_all_of_it_as_its_own(service, monkeypatch):
    fake = Fake(cpu=2.0)
    monkeypatch.setattr(sandboxed, "start", lambda *_: fake)
    monkeypatch.setattr(trial, "ask", lambda *_, **__: ServiceAnswer(200, {"id": "c"}))
    service.running = None
    assert service.start("first")
    fake.cpu = 5.0
    service.end()
    assert (service.gone_seconds, service.all_seconds) == (3.0, 5.0)
    (ready,) = events(service, "ready")
    assert ready["first"] == 200 and ready["why"] == "first" and fake.signals == ["kill"]


def test_a_service_that_ends_before_it_is_ready_is_not_waited_for(service, monkeypatch):
    fake = Fake()
    fake.status = 1
    monkeypatch.setattr(sandboxed, "start", lambda *_: fake)
    begun = time.monotonic()
    assert not service.start("first")
    assert time.monotonic() - begun < 20
    (never,) = events(service, "never ready")
    assert (never["status"], never["log"]) == (1, "bye")


def test_what_the_specification_says_is_what_is_tried(tmp_path):
    spec = {
        "words": ["python3", "s.py"], "brief_seed": 3, "seed": 4, "seconds": 9.0,
        "place": {"service": "a", "models": "b", "state": "c", "port": 1, "memory_mb": 64},
        "history": str(tmp_path / "h"),
    }  # fmt: skip
    made_of = ServiceTrial.of(json.loads(json.dumps(spec)), core=1)
    made_of.history.close()
    assert (made_of.brief_seed, made_of.seed, made_of.seconds, made_of.place.core) == (3, 4, 9.0, 1)
