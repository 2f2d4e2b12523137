"""Reads a history and judges it: held, broken or unknown for every criterion, with the evidence for it.

Runs nothing and asks nothing. What is right is computed here, from the load's seed and the models.
"""

from dataclasses import replace

from fsdl_course.capstone import generator, limits, timetable, wrong_pictures
from fsdl_course.capstone.brief import PRIVACY
from fsdl_course.capstone.generator import AGAIN, CARD, CLASH, WRONG, Request
from fsdl_course.capstone.points import BROKEN, HELD, TABLE, UNKNOWN
from fsdl_course.capstone.verdicts import ENOUGH, CriterionVerdict, Judged, ReplayCase, judged
from fsdl_deploy.picture import decode
from fsdl_deploy.reader import OnnxReader

MOST_SWITCH = 1.5  # times the contract's seconds, on a slow machine: after more no cards would be left


def check(case: ReplayCase) -> list[CriterionVerdict]:
    """A verdict for every criterion of ``points.TABLE``, in its order."""
    requests = {r.number: r for r in generator.load(case.brief, case.seed, case.seconds)}
    if not case.of("ready"):
        event = (case.of("never ready") or [{}])[-1]
        return [CriterionVerdict(c.name, BROKEN, "the service was never ready", [event]) for c in TABLE]
    if not case.of("over") or not case.of("load over"):
        return [CriterionVerdict(c.name, UNKNOWN, "the trial did not come to its end") for c in TABLE]
    read = readings(requests, case.seed)
    right = {
        event["number"]
        for event, request in case.answers(requests, CARD, AGAIN)
        if event["status"] == 200 and _as_read(event["fields"], request.card, read)
    }
    judges = {
        "correctness": lambda: _correctness(case, requests, read),
        "lost": lambda: _lost(case, requests),
        "recovery": lambda: _recovery(case),
        "refusals": lambda: _refusals(case, requests),
        "versions": lambda: _versions(case, requests, right),
        "p99": lambda: limits.p99(case, requests, right),
        "memory": lambda: limits.memory(case),
        "start": lambda: limits.start(case, requests, right, probes_read(case.seed)),
        "cost": lambda: limits.month_cost(case, requests, right),
        "privacy": lambda: _privacy(case),
    }
    verdicts = [CriterionVerdict(c.name, *judges[c.name]()) for c in TABLE]
    return verdicts if _reads(requests, right) else [_proves_nothing(verdict) for verdict in verdicts]


def _reads(requests: dict[int, Request], right: set[int]) -> bool:
    """Whether it is a reader at all: a service that does nothing needs no memory and keeps no pictures."""
    sent = [number for number, request in requests.items() if request.kind == CARD]
    return len(right.intersection(sent)) >= max(ENOUGH, len(sent) / 2)


def _proves_nothing(verdict: CriterionVerdict) -> CriterionVerdict:
    if verdict.verdict != HELD:
        return verdict
    why = f"most cards were not read, which proves nothing ({verdict.why})"
    return replace(verdict, verdict=UNKNOWN, why=why)


def _as_read(fields: dict, card: int, read: dict[str, dict[int, str]]) -> bool:
    return fields.get("digits") == read.get(fields.get("version"), {}).get(card, "nothing")


def probes_read(seed: int) -> list[dict[str, str]]:
    """What each version reads on the card that is sent after each start."""
    images = [decode(png) for _, png in generator.probes(seed)]
    read = {version: OnnxReader(version).read(images) for version in timetable.versions(seed)}
    return [{version: readings[i].digits for version, readings in read.items()} for i in range(len(images))]


def readings(requests: dict[int, Request], seed: int) -> dict[str, dict[int, str]]:
    """What each version reads on each valid picture, by the picture's number."""
    count = len(requests)
    images = [decode(png) for png in generator.pictures(seed, count)]
    read = {}
    for version in timetable.versions(seed):
        reader = OnnxReader(version)
        read[version] = {i: reader.read([image])[0].digits for i, image in enumerate(images)}
    return read


def _correctness(case: ReplayCase, requests: dict[int, Request], read: dict[str, dict[int, str]]) -> Judged:
    bad, count = [], 0
    first: dict[str, tuple] = {}
    for event, request in case.answers(requests, CARD, AGAIN):
        if event["status"] != 200:
            continue
        fields, count = event["fields"], count + 1
        version, digits = fields.get("version"), fields.get("digits")
        if not _as_read(fields, request.card, read) or fields.get("id") != request.id:
            expected = read[version].get(request.card) if version in read else f"one of {', '.join(read)}"
            bad.append({**event, "expected": {"id": request.id, "read": expected}})
        earlier = first.setdefault(request.id, (digits, version))
        if request.kind == AGAIN and earlier != (digits, version):
            bad.append({**event, "expected": earlier})
    return judged(
        bad,
        f"{count} answers, all right",
        "not as the version's graph reads, or not as at first",
        count >= ENOUGH,
    )


def _lost(case: ReplayCase, requests: dict[int, Request]) -> Judged:
    cards = list(case.answers(requests, CARD, AGAIN))
    bad = [event for event, _ in cards if event["status"] != 200]
    answers = {event["number"]: event["fields"] for event, _ in cards}
    sent = [r for r in requests.values() if r.kind == CARD]
    bad += [{"number": r.number, "problem": "no answer on record"} for r in sent if r.number not in answers]
    for event in case.of("looked up"):
        if event["status"] != 200 or event["fields"] != answers.get(event["number"]):
            bad.append({**event, "answered": answers.get(event["number"])})
    seen = len(case.of("looked up"))
    proven = len(cards) >= ENOUGH and seen >= 0.9 * len(
        [e for e, r in cards if e["status"] == 200 and r.kind == CARD]
    )
    return judged(bad, f"{len(sent)} cards, all answered and known at the end", "a card was lost", proven)


def _recovery(case: ReplayCase) -> Judged:
    bad = case.of("died") + [event for event in case.of("ended") if event["status"] != 0]
    bad += case.of("never ready") + case.of("disk full")
    limit = case.brief.start_s * limits.slowness(case)
    bad += [event for event in case.of("ready") if limits.own_seconds(event) > limit]
    enough = len(case.of("ended")) == 1 and len(case.of("ready")) == 3
    return judged(bad, "it ended and came back as it should", "it did not end or come back", enough)


def _refusals(case: ReplayCase, requests: dict[int, Request]) -> Judged:
    bad, count = [], 0
    for event, request in case.answers(requests, WRONG, CLASH):
        count += 1
        clash = request.kind == CLASH
        field_name = "id" if clash else wrong_pictures.KINDS[request.wrong]
        right = event["status"] == 409 if clash else 400 <= event["status"] < 500
        if not right or event["fields"].get("field") != field_name:
            bad.append({**event, "wrong": request.wrong or CLASH, "expected": field_name})
    for event, _ in case.answers(requests, CARD, AGAIN):
        if 400 <= event["status"] < 500 and event["status"] != 429:
            bad.append({**event, "wrong": "nothing: it is a right card", "expected": "200"})
    for event in case.of("answer"):
        if event.get("without_time"):
            bad.append({**event, "expected": "Retry-After with every 429 and 503"})
    return judged(bad, f"{count} refusals, all as agreed", "not as the contract refuses", count >= 10)


def _versions(case: ReplayCase, requests: dict[int, Request], right: set[int]) -> Judged:
    announced = [e["t"] for e in case.of("fault") if e["name"] == timetable.VERSION]
    if not announced:
        return UNKNOWN, "the new version was never announced", []
    before, after = timetable.versions(case.seed)
    bad, late = [], 0
    since = announced[0] + timetable.SWITCH * min(MOST_SWITCH, limits.slowness(case))
    for event, _ in case.answers(requests, CARD):
        version = event["fields"].get("version")
        if event["status"] != 200:
            continue
        if event["sent"] > since and event["tries"] == 1:
            late += 1
            bad += [] if version == after and event["number"] in right else [event]
        elif event["t"] < announced[0] and version != before:
            bad.append(event)
    return judged(bad, f"{late} cards after the change, all by {after}", "the wrong version read", late >= 10)


def _privacy(case: ReplayCase) -> Judged:
    if case.brief.privacy != PRIVACY[0]:
        return HELD, "the brief lets pictures be kept", []
    events = case.of("pictures")
    if not events:
        return UNKNOWN, "nobody looked", []
    bad = [event for event in events if event["kept"]]
    return judged(bad, "no picture was found", "a picture was kept")
