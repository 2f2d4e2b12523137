"""Judges what is measured in a replay: waits, memory, the time to start, processor time and what it costs.

Times are compared with a plain reading that was made in between (``pace``).
"""

import math
import statistics

from fsdl_course.capstone import cost, timetable
from fsdl_course.capstone.generator import CARD, Request
from fsdl_course.capstone.points import BROKEN, HELD, NOMINAL_MS, UNKNOWN
from fsdl_course.capstone.verdicts import ENOUGH, Judged, ReplayCase, judged

BUSY = 4.0  # times the median, at the reference's 90th percentile: the machine had others to work for
MOST_SHARE = 0.25  # of the load's time that others may have the service's core
FIRST_CARD = 1.0  # seconds in which the card is answered that is sent the moment a service says it is ready


def slowness(case: ReplayCase, of: str = "ms") -> float:
    """How many times longer a plain reading took than on the machine that the brief means; at least 1.

    By the clock, or with "cpu_ms" by the processor's time, which others on the machine make no longer.
    """
    times = [event[of] for event in case.of("reference")]
    return max(1.0, statistics.median(times) / NOMINAL_MS) if times else 1.0


def busy(case: ReplayCase) -> bool:
    """Whether others had the service's core, or the reference varied so much, that times prove nothing."""
    if any(event.get("others_share", 0.0) > MOST_SHARE for event in case.of("load over")):
        return True
    times = sorted(event["ms"] for event in case.of("reference"))
    return len(times) < 10 or times[int(len(times) * 0.9)] > BUSY * statistics.median(times)


def windows(case: ReplayCase) -> list[tuple[float, float]]:
    """The restarts, with two seconds after each for what waited meanwhile: times there are not judged."""
    ends = {e["name"]: e["t"] for e in case.of("fault over")}
    ups = (timetable.TERM, timetable.KILL)
    return [(e["t"] - 0.5, ends.get(e["name"], math.inf) + 2) for e in case.of("fault") if e["name"] in ups]


def waits(case: ReplayCase, requests: dict[int, Request], right: set[int]) -> list[float]:
    """Seconds from a card's time to its answer, outside of restarts; inf: none came that is right."""
    shut = windows(case)
    return sorted(
        event["t"] - event["due"] if event["number"] in right else math.inf
        for event, request in case.answers(requests, CARD)
        if request.client == "plain" and not any(a <= event["due"] <= b for a, b in shut)
    )


def p99(case: ReplayCase, requests: dict[int, Request], right: set[int]) -> Judged:
    """The wait of the slowest of a hundred cards; a wrong answer is none."""
    times = waits(case, requests, right)
    if len(times) < ENOUGH:
        return UNKNOWN, f"{len(times)} answers outside of restarts are too few", []
    value = 1000 * times[math.ceil(0.99 * len(times)) - 1]
    limit = case.brief.p99_ms * slowness(case)
    never = "more than 1 of 100 cards had no right answer"
    summary = f"p99 {value:.0f} ms of {limit:.0f} ms" if value < math.inf else never
    if value <= limit:
        return HELD, summary, []
    if busy(case) and value < math.inf:
        return UNKNOWN, f"{summary}, on a machine that was too busy to say", []
    return BROKEN, summary, [{"slowest_ms": [round(1000 * t) for t in times[-10:] if t < math.inf]}]


def memory(case: ReplayCase) -> Judged:
    """The most that all processes took together, and how much more it was at the end of the last run."""
    samples = [(event["t"], event["memory"] / 2**20) for event in case.of("sample") if event["memory"]]
    killed = [event for event in case.of("sample") + case.of("died") if event["killed"]]
    if killed:
        return BROKEN, f"it took more than {case.memory_mb} MiB, and was killed for it", killed[:10]
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


def own_seconds(event: dict) -> float:
    """How long a start took, without the time in which others had the service's core."""
    return event["seconds"] - event.get("others", 0.0)


def _cards_read(case: ReplayCase, requests: dict[int, Request], right: set[int]) -> list[dict]:
    """The right answers to new cards."""
    return [event for event, _ in case.answers(requests, CARD) if event["number"] in right]


def _reads_soon(ready: dict, wait: float, answered: list[float]) -> bool:
    """Whether a card was read within ``wait`` of the moment when the service said that it can."""
    moment = ready["t"] - ready["first_seconds"]
    return ready["first_seconds"] <= wait or any(moment < t <= moment + wait for t in answered)


def start(
    case: ReplayCase, requests: dict[int, Request], right: set[int], read: list[dict[str, str]]
) -> Judged:
    """Every start: in time, and then able to read. ``read``: for each start's card, each version's digits.

    Callers who have waited for the restart come with the start's own card, so one of theirs shows as well
    that the service reads.
    """
    answered = [event["t"] for event in _cards_read(case, requests, right)]
    limit, wait = case.brief.start_s * slowness(case), FIRST_CARD * slowness(case)
    bad, slow = [], []
    for number, event in enumerate(case.of("started")):
        ready = [e for e in case.of("ready") + case.of("never ready") if e["why"] == event["why"]]
        for e in ready:
            digits, version = e.get("fields", {}).get("digits"), e.get("fields", {}).get("version")
            if e.get("first") != 200 or own_seconds(e) > limit or read[number].get(version) != digits:
                bad.append({**e, "expected": read[number], "within_s": round(limit, 1)})
            elif not _reads_soon(e, wait, answered):
                slow.append({**e, "first_within_s": round(wait, 3)})
    longest = max(own_seconds(event) for event in case.of("ready"))
    summary = f"ready after {longest:.1f} s at most, of {limit:.0f} s"
    if slow and not bad and busy(case):
        return UNKNOWN, f"{summary}; the first card was slow, on a machine too busy to say", slow
    return judged(bad + slow, summary, "late, or ready before it could read")


def month_cost(case: ReplayCase, requests: dict[int, Request], right: set[int]) -> Judged:
    """What the replicas cost that the busiest second needs, by the processor time of a card that was read."""
    answers = _cards_read(case, requests, right)
    if len(answers) < ENOUGH or not case.of("sample") or not case.of("reference"):
        return UNKNOWN, "too few answers", []
    seconds = case.of("over")[-1]["cpu"] / len(answers) / slowness(case, "cpu_ms")
    usd, replicas = cost.month(case.brief, seconds, case.memory_mb)
    share = f"{1000 * seconds:.0f} ms of a core a card"
    counted = f"{replicas} replica{'s' * (replicas > 1)}"
    summary = f"{counted} at {share}: {usd:.0f} of {case.brief.budget} USD"
    evidence = [{"usd": round(usd, 2), "core_seconds": round(seconds, 5), "replicas": replicas}]
    return (HELD if usd <= case.brief.budget else BROKEN), summary, evidence
