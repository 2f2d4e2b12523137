"""The history of a replay that nobody ran: a perfect service's, which a test then spoils in one place."""

import functools

from fsdl_course.capstone import checker, generator, timetable, wrong_pictures
from fsdl_course.capstone.brief import PRIVACY, brief_of
from fsdl_course.capstone.generator import AGAIN, CARD, CLASH, WRONG
from fsdl_course.capstone.verdicts import ReplayCase

SEED, SECONDS, MEMORY_MB = 5, 28.0, 384
BRIEF = next(brief for brief in map(brief_of, range(100)) if brief.privacy == PRIVACY[0])
BEFORE, AFTER = timetable.versions(SEED)
CHANGED = next(f.at for f in timetable.faults(SEED, SECONDS) if f.what == timetable.VERSION)


@functools.cache
def requests() -> dict[int, generator.Request]:
    """The requests of the replay, by number."""
    return {request.number: request for request in generator.load(BRIEF, SEED, SECONDS)}


@functools.cache
def readings() -> dict[str, dict[int, str]]:
    """What each version reads on each picture."""
    return checker.readings(requests(), SEED)


@functools.cache
def probes_read() -> list[dict[str, str]]:
    """What each version reads on the card after each start."""
    return checker.probes_read(SEED)


def quick(monkeypatch) -> None:
    """The judge takes the load and the readings from here: drawing them again takes seconds each time."""
    requests(), readings(), probes_read()
    monkeypatch.setattr(generator, "load", lambda *_: list(requests().values()))
    monkeypatch.setattr(checker, "readings", lambda *_: readings())
    monkeypatch.setattr(checker, "probes_read", lambda _: probes_read())


def _card(request: generator.Request) -> dict:
    version = AFTER if request.at > CHANGED + 0.1 else BEFORE
    return {"id": request.id, "digits": readings()[version][request.card], "version": version}


def _answers() -> list[dict]:
    first: dict[int, dict] = {}
    events = []
    for number, request in requests().items():
        status, fields = 200, {}
        if request.kind == CARD:
            fields = first[number] = _card(request)
        elif request.kind == AGAIN:
            fields = dict(first[request.of])
        elif request.kind == CLASH:
            status, fields = 409, {"field": "id"}
        elif request.kind == WRONG:
            status, fields = 422, {"field": wrong_pictures.KINDS[request.wrong]}
        times = {"t": request.at + 0.05, "due": request.at, "sent": request.at}
        counts = {"tries": 1, "refused": 0, "without_time": 0, "problem": ""}
        events.append(
            {**times, **counts, "what": "answer", "number": number, "status": status, "fields": fields}
        )
    return events


def _starts_and_faults() -> list[dict]:
    probes, events = generator.probes(SEED), []
    read = probes_read()

    def start(t: float, why: str) -> None:
        number = sum(event["what"] == "ready" for event in events)
        version = AFTER if t > CHANGED else BEFORE
        fields = {"id": probes[number][0], "digits": read[number][version], "version": version}
        events.append({"t": t, "what": "started", "why": why})
        seconds = {"seconds": 1.0, "first": 200, "first_seconds": 0.02}
        events.append({"t": t + 1, "what": "ready", "why": why, **seconds, "fields": fields, "problem": ""})

    start(-1.0, "first")
    for fault in timetable.faults(SEED, SECONDS):
        events.append({"t": fault.at, "what": "fault", "name": fault.what})
        if fault.what == timetable.TERM:
            events.append({"t": fault.at + 0.5, "what": "ended", "status": 0, "seconds": 0.5})
        if fault.what in (timetable.TERM, timetable.KILL):
            events.append({"t": fault.at + 0.5, "what": "pictures", "kept": []})
            start(fault.at + 0.5, f"after {fault.what}")
        events.append({"t": fault.at + 1.5, "what": "fault over", "name": fault.what})
    return events


def perfect() -> ReplayCase:
    """A replay in which everything is held; its events are the test's own."""
    answers = _answers()
    fields = {event["number"]: event["fields"] for event in answers}
    cards = [number for number, request in requests().items() if request.kind == CARD]
    looked = [
        {"t": 29.0, "what": "looked up", "number": number, "status": 200, "fields": dict(fields[number])}
        for number in cards
    ]
    samples = [
        {"t": 0.2 * i, "what": "sample", "memory": (90 << 20) + (i % 7 << 20), "killed": 0}
        for i in range(140)
    ]
    pace = [{"t": 0.6 * i, "what": "reference", "ms": 8.0, "cpu_ms": 8.0} for i in range(46)]
    events = [*_starts_and_faults(), *answers, *samples, *pace, {"t": 28.5, "what": "load over"}, *looked]
    events += [{"t": 30.0, "what": "pictures", "kept": []}]
    events += [{"t": 30.0, "what": "over", "cpu": 0.010 * len(cards)}]
    return ReplayCase(events, BRIEF, SEED, SECONDS, MEMORY_MB)


def first(case: ReplayCase, what: str, kind: str = "") -> dict:
    """The first event of a kind, for a test to spoil; of the answers the first to such a request."""
    return next(e for e in case.of(what) if not kind or requests()[e["number"]].kind == kind)
