"""Reads a history and judges it: held, broken or unknown for every criterion, with the evidence for it.

Runs nothing and asks nothing. What is right is computed here, from the load's seed and the models.
"""

import math
import statistics
from dataclasses import dataclass, field

from fsdl_course.capstone import cost, generator, timetable, wrong_pictures
from fsdl_course.capstone.brief import PRIVACY, Brief
from fsdl_course.capstone.generator import AGAIN, CARD, CLASH, WRONG, Request
from fsdl_course.capstone.points import BROKEN, HELD, NOMINAL_MS, TABLE, UNKNOWN
from fsdl_deploy.picture import decode
from fsdl_deploy.reader import OnnxReader

ENOUGH = 40  # answers below which times and correctness prove nothing
BUSY = 4.0  # times the median, at the reference's 90th percentile: the machine had others to work for


@dataclass(frozen=True)
class CriterionVerdict:
    """``verdict`` on a criterion, why in a sentence, and the events that show it (at most ten)."""

    criterion: str
    verdict: str
    why: str
    evidence: list[dict] = field(default_factory=list)


@dataclass(frozen=True)
class ReplayCase:
    """What is judged: the history, and what makes the load again."""

    events: list[dict]
    brief: Brief
    seed: int
    seconds: float
    memory_mb: int

    def of(self, what: str) -> list[dict]:
        """The events of a kind."""
        return [event for event in self.events if event["what"] == what]


def check(case: ReplayCase) -> list[CriterionVerdict]:
    """A verdict for every criterion of ``points.TABLE``, in its order."""
    requests = {r.number: r for r in generator.load(case.brief, case.seed, case.seconds)}
    if not case.of("ready"):
        event = (case.of("never ready") or [{}])[-1]
        return [CriterionVerdict(c.name, BROKEN, "the service was never ready", [event]) for c in TABLE]
    if not case.of("over") or not case.of("load over"):
        return [CriterionVerdict(c.name, UNKNOWN, "the trial did not come to its end") for c in TABLE]
    judges = {
        "correctness": _correctness, "lost": _lost, "recovery": _recovery, "refusals": _refusals,
        "versions": _versions, "p99": _p99, "memory": _memory, "start": _start, "cost": _cost,
        "privacy": _privacy,
    }  # fmt: skip
    return [CriterionVerdict(c.name, *judges[c.name](case, requests)) for c in TABLE]


def slowness(case: ReplayCase) -> float:
    """How many times longer a plain reading took than on the machine that the brief means; at least 1."""
    times = [event["ms"] for event in case.of("reference")]
    return max(1.0, statistics.median(times) / NOMINAL_MS) if times else 1.0


def busy(case: ReplayCase) -> bool:
    """Whether the reference varied so much, or was so rare, that times prove nothing."""
    times = sorted(event["ms"] for event in case.of("reference"))
    return len(times) < 10 or times[int(len(times) * 0.9)] > BUSY * statistics.median(times)


def readings(requests: dict[int, Request], seed: int) -> dict[str, dict[int, str]]:
    """What each version reads on each valid picture, by the picture's number."""
    count = len(requests)
    images = [decode(png) for png in generator.pictures(seed, count)]
    read = {}
    for version in timetable.versions(seed):
        reader = OnnxReader(version)
        read[version] = {i: reader.read([image])[0].digits for i, image in enumerate(images)}
    return read


def _judge(bad: list[dict], good: str, wrong: str, proven: bool = True):
    if bad:
        return BROKEN, f"{wrong}: {len(bad)} time{'s' * (len(bad) > 1)}", bad[:10]
    return (HELD, good, []) if proven else (UNKNOWN, "too few answers to say", [])


def _answers(case: ReplayCase, requests: dict[int, Request], *kinds: str):
    for event in case.of("answer"):
        if requests[event["number"]].kind in kinds:
            yield event, requests[event["number"]]


def _correctness(case: ReplayCase, requests: dict[int, Request]):
    read, bad, count = readings(requests, case.seed), [], 0
    first: dict[str, tuple] = {}
    for event, request in _answers(case, requests, CARD, AGAIN):
        if event["status"] != 200:
            continue
        fields, count = event["fields"], count + 1
        version, digits = fields.get("version"), fields.get("digits")
        expected = read[version].get(request.card) if version in read else None
        if digits != expected or fields.get("id") != request.id:
            bad.append({**event, "expected": expected})
        earlier = first.setdefault(request.id, (digits, version))
        if request.kind == AGAIN and earlier != (digits, version):
            bad.append({**event, "expected": earlier})
    return _judge(
        bad, f"{count} answers, all right", "another answer than the version's graph gives", count >= ENOUGH
    )


def _lost(case: ReplayCase, requests: dict[int, Request]):
    cards = list(_answers(case, requests, CARD, AGAIN))
    bad = [event for event, _ in cards if event["status"] != 200]
    answers = {event["number"]: event["fields"] for event, _ in cards}
    for event in case.of("looked up"):
        if event["status"] != 200 or event["fields"] != answers.get(event["number"]):
            bad.append({**event, "answered": answers.get(event["number"])})
    seen = len(case.of("looked up"))
    sent = [r for r in requests.values() if r.kind == CARD]
    proven = len(cards) >= ENOUGH and seen >= 0.9 * len(
        [e for e, r in cards if e["status"] == 200 and r.kind == CARD]
    )
    return _judge(bad, f"{len(sent)} cards, all answered and known at the end", "a card was lost", proven)


def _recovery(case: ReplayCase, requests: dict[int, Request]):
    bad = [event for event in case.of("ended") if event["status"] != 0]
    bad += case.of("never ready") + case.of("disk full")
    limit = case.brief.start_s * slowness(case)
    bad += [event for event in case.of("ready") if event["seconds"] > limit]
    enough = len(case.of("ended")) == 1 and len(case.of("ready")) == 3
    return _judge(bad, "it ended and came back as it should", "it did not end or come back", enough)


def _refusals(case: ReplayCase, requests: dict[int, Request]):
    bad, count = [], 0
    for event, request in _answers(case, requests, WRONG, CLASH):
        count += 1
        clash = request.kind == CLASH
        field_name = "id" if clash else wrong_pictures.KINDS[request.wrong]
        right = event["status"] == 409 if clash else 400 <= event["status"] < 500
        if not right or event["fields"].get("field") != field_name:
            bad.append({**event, "wrong": request.wrong or CLASH, "expected": field_name})
    return _judge(bad, f"{count} refusals, all as agreed", "not a 4xx that names the field", count >= 10)


def _versions(case: ReplayCase, requests: dict[int, Request]):
    announced = [e["t"] for e in case.of("fault") if e["name"] == timetable.VERSION]
    if not announced:
        return UNKNOWN, "the new version was never announced", []
    before, after = timetable.versions(case.seed)
    bad, late = [], 0
    for event, _ in _answers(case, requests, CARD):
        version = event["fields"].get("version")
        if event["status"] != 200:
            continue
        if event["sent"] > announced[0] + timetable.SWITCH * slowness(case) and event["tries"] == 1:
            late += 1
            bad += [] if version == after else [event]
        elif event["t"] < announced[0] and version != before:
            bad.append(event)
    return _judge(bad, f"{late} cards after the change, all by {after}", "the wrong version read", late >= 10)


def windows(case: ReplayCase) -> list[tuple[float, float]]:
    """The restarts, with two seconds after each for what waited meanwhile: times there are not judged."""
    ends = {e["name"]: e["t"] for e in case.of("fault over")}
    ups = (timetable.TERM, timetable.KILL)
    return [(e["t"] - 0.5, ends.get(e["name"], math.inf) + 2) for e in case.of("fault") if e["name"] in ups]


def waits(case: ReplayCase, requests: dict[int, Request]) -> list[float]:
    """Seconds from a card's time to its answer, of plain clients outside of restarts; inf: no answer."""
    shut = windows(case)
    return sorted(
        event["t"] - event["due"] if event["status"] == 200 else math.inf
        for event, request in _answers(case, requests, CARD)
        if request.client == "plain" and not any(a <= event["due"] <= b for a, b in shut)
    )


def _p99(case: ReplayCase, requests: dict[int, Request]):
    times = waits(case, requests)
    if len(times) < ENOUGH:
        return UNKNOWN, f"{len(times)} answers outside of restarts are too few", []
    value = 1000 * times[math.ceil(0.99 * len(times)) - 1]
    limit = case.brief.p99_ms * slowness(case)
    summary = f"p99 {value:.0f} ms of {limit:.0f} ms"
    if value <= limit:
        return HELD, summary, []
    if busy(case) and value < math.inf:
        return UNKNOWN, f"{summary}, on a machine that was too busy to say", []
    return BROKEN, summary, [{"slowest_ms": [round(1000 * t) for t in times[-10:] if t < math.inf]}]


def _memory(case: ReplayCase, requests: dict[int, Request]):
    samples = [(event["t"], event["memory"] / 2**20) for event in case.of("sample") if event["memory"]]
    if len(samples) < 20:
        return UNKNOWN, "too few samples", []
    peak = max(memory for _, memory in samples)
    start = max([e["t"] for e in case.of("ready")][-1] + 1.5, 0)
    last = [memory for t, memory in samples if t >= start]
    growth = statistics.median(last[-5:]) - statistics.median(last[:5]) if len(last) >= 15 else 0.0
    summary = f"at most {peak:.0f} of {case.memory_mb} MiB"
    if peak > case.memory_mb:
        return BROKEN, summary, [{"peak_mib": peak}]
    if growth > max(48.0, 0.25 * case.memory_mb):
        return BROKEN, f"it grew by {growth:.0f} MiB after its last start", [{"growth_mib": growth}]
    return HELD, summary, []


def _start(case: ReplayCase, requests: dict[int, Request]):
    limit = case.brief.start_s * slowness(case)
    bad = [e for e in case.of("ready") if e["seconds"] > limit or e["first"] != 200]
    longest = max(event["seconds"] for event in case.of("ready"))
    return _judge(
        bad, f"ready after {longest:.1f} s at most, of {limit:.0f} s", "late, or ready before it could read"
    )


def _cost(case: ReplayCase, requests: dict[int, Request]):
    answers = [event for event, r in _answers(case, requests, CARD) if event["status"] == 200]
    if len(answers) < ENOUGH or not case.of("sample"):
        return UNKNOWN, "too few answers", []
    seconds = case.of("over")[-1]["cpu"] / len(answers) / slowness(case)
    month, replicas = cost.month(case.brief, seconds, case.memory_mb)
    share = f"{1000 * seconds:.0f} ms of a core a card"
    summary = f"{replicas} replicas at {share}: {month:.0f} of {case.brief.budget} USD"
    return (
        (HELD if month <= case.brief.budget else BROKEN),
        summary,
        [{"usd": month, "core_seconds": seconds}],
    )


def _privacy(case: ReplayCase, requests: dict[int, Request]):
    if case.brief.privacy != PRIVACY[0]:
        return HELD, "the brief lets pictures be kept", []
    events = case.of("pictures")
    if not events:
        return UNKNOWN, "nobody looked", []
    bad = [event for event in events if event["kept"]]
    return _judge(bad, "no picture was found", "a picture was kept")
