"""A function in a small cloud, in figures: its package, its cold start, calls step by step, and the bill"""

from collections.abc import Mapping, Sequence
from statistics import median

from fsdl_deploy.measuring.table import Table
from fsdl_deploy.scaling import cold_start, function_bursts
from fsdl_deploy.scaling.function_bursts import BurstPhase
from fsdl_deploy.scaling.serverless_platform import Call, Function


def packages(megabytes: Mapping[str, float], unpacked: float, image: float) -> Table:
    """Whether each package fits a zip, which may unpack to ``unpacked`` MB, or an image of ``image`` MB."""
    rows = [[name, size, size < unpacked, size < image] for name, size in megabytes.items()]
    header = ["the reader by", "MB (2²⁰ bytes)", "fits a zip", "fits an image"]
    return Table(header, *rows, formats=["", ",.0f"])


def cold_starts(starts: Mapping[str, cold_start.ColdStart]) -> Table:
    """The seconds of each step of a cold start, and of all until the first answer."""
    rows = [
        [name, *(getattr(start, step) for step in cold_start.STEPS), start.total]
        for name, start in starts.items()
    ]
    header = ["seconds", *cold_start.STEPS, "until the first answer"]
    return Table(header, *rows, formats=["", *[".3f"] * len(header[1:])])


def played(
    function: Function, event: object, steps: Sequence[tuple[str, int, int]]
) -> tuple[dict[str, list[Call]], list[BurstPhase]]:
    """Call the function step by step: the calls of each by its name, and each in figures.

    ``steps``: (name, calls, callers who make them side by side).
    """
    calls, phases = {}, []
    for name, count, callers in steps:
        before = function.instances
        calls[name] = function.at_once([event] * count, callers=callers)
        phases.append(function_bursts.phase(name, calls[name], before, function.instances))
    return calls, phases


def results(function: Function, calls: Mapping[str, Sequence[Call]]) -> dict[str, object]:
    """What the calls and their bill say to the lecture, by the names that its claims have.

    ``billed``: seconds of a warm call of the *first* of the steps, their median; where it had none, of all
    calls on average. ``billed_share``: of the time for which instances existed.
    """
    metrics, history = function.metrics, function.history
    warm = [call.billed for call in next(iter(calls.values())) if not call.cold]
    return {
        "burst": {
            "calls": sum(map(len, calls.values())),
            "failed": metrics.errors + metrics.throttled,
            "instances": metrics.most,
        },
        "billed": float(median(warm)) if warm else metrics.seconds / metrics.calls,
        "left": history[-1][1],
        "billed_share": metrics.seconds / function_bursts.lived(history),
        "memory_used": metrics.peak / 2**20 / function.settings.memory,
    }
