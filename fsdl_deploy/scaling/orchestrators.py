"""What it takes to run three copies, and what an update costs: each way to run them counted alike

*Kubernetes is overkill if you only want to deploy*, in figures: lines of configuration that somebody wrote,
programs that run beside the three copies, the memory of those while nobody asks anything; then a new version
and a broken one under load. The four ways are in ``ways_to_run``.
"""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

import psutil

from fsdl_deploy.paths import ROOT
from fsdl_deploy.scaling.asking import Asking
from fsdl_deploy.scaling.cluster_images import BROKEN, GOOD, OTHER
from fsdl_deploy.scaling.cluster_trial import RATE
from fsdl_deploy.scaling.failures import Trial, under_load

RECORD = ROOT / "infra" / "scaling" / "orchestrators" / "recorded.json"
COPIES, CORES = 3, 0.3  # as many cores for each copy as the manifests allow a container, from its start on
IDLE = 8  # seconds before the programs are counted: what starts at once has ended by then
_OF_THE_READER = "fsdl_deploy.cli"


@dataclass(frozen=True)
class Beside:
    """The programs that run beside the copies: how many, and their memory in MiB.

    Memory that they share is divided among those that share it (PSS).
    """

    processes: int
    mebibytes: float


class WayToRun(Protocol):
    """A way to run COPIES of the reader, as a context manager: once entered, all of them are healthy."""

    name: str

    def lines(self) -> int:
        """Lines of configuration that say something."""

    def beside(self) -> Beside:
        """What runs beside the copies."""

    def asking(self) -> Asking:
        """Callers, as this way lets them reach the copies."""

    def update(self, image: str) -> str:
        """Another version, and wait until that has ended: "" if all copies are of it, else how it ended."""

    def healthy(self, image: str) -> int:
        """How many copies of this version are healthy now."""


@dataclass
class Orchestrated:
    """What was counted of a way; None where that failed, and then ``problems`` has a sentence about it."""

    name: str
    lines: int | None = None
    processes: int | None = None
    mebibytes: float | None = None
    update: "Updated | None" = None
    broken: "Updated | None" = None
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Updated:
    """An update under load. ``ended``: "" if all copies are of the new version, else how it ended.

    ``left``: how many of the copies that were there before are healthy after it. ``lost`` of so many
    ``requests`` got no reading; ``reopened``: had to open their connection again.
    """

    ended: str
    seconds: float
    left: int
    requests: int
    lost: int
    reopened: int
    p99_ms: float | None
    losses: list[str]


def beside(marks: Iterable[str], pids: Iterable[int] = (), without: Iterable[int] = ()) -> Beside:
    """All processes with one of ``marks`` in their command line, or of ``pids``, and their children.

    The copies themselves are left out, and so are the processes ``without`` and their children: a cluster
    beside an engine names the engine in its command line and is no part of it.
    """
    marks, pids, without = tuple(marks), set(pids), set(without)
    known = {process.pid: process for process in psutil.process_iter(["ppid", "cmdline"])}

    def belongs(process: psutil.Process | None) -> bool:
        marked = False
        while process is not None:
            words = " ".join(process.info["cmdline"] or ())
            if process.pid in without:
                return False
            marked = marked or process.pid in pids or any(mark in words for mark in marks)
            process = known.get(process.info["ppid"])
        return marked

    memory = []
    for process in known.values():
        if belongs(process) and _OF_THE_READER not in " ".join(process.info["cmdline"] or ()):
            with suppress(psutil.Error):
                memory.append(process.memory_full_info().pss)
    return Beside(len(memory), sum(memory) / 2**20)


def count(way: WayToRun, rate: float = RATE, idle: float = IDLE) -> Orchestrated:
    """Start a way, count it, update it from GOOD to OTHER and then to BROKEN, and end it.

    What fails is a sentence in ``problems``; the rest is counted all the same, as far as the copies run.
    """
    counted = Orchestrated(way.name)

    def attempt(part: str, step: Callable[[], object]) -> None:
        try:
            step()
        except Exception as error:
            counted.problems.append(f"{part}: {type(error).__name__}: {str(error)[:1000]}")

    def programs() -> None:
        time.sleep(idle)
        seen = way.beside()
        counted.processes, counted.mebibytes = seen.processes, seen.mebibytes

    def new() -> None:
        counted.update = updated(way, GOOD, OTHER, rate)
        if counted.update.ended:
            raise RuntimeError(f"it ended as {counted.update.ended}")

    def broken() -> None:
        counted.broken = updated(way, OTHER, BROKEN, rate)
        if not counted.broken.ended:
            raise RuntimeError("an image that does not start went through")

    def everything() -> None:
        with way:
            counted.lines = way.lines()
            attempt("beside", programs)
            attempt("update", new)
            attempt("broken", broken)

    attempt("start or end", everything)
    return counted


def updated(way: WayToRun, before: str, image: str, rate: float) -> Updated:
    """An update of a running way under load: from the moment of the command until it has ended."""
    ends: list[tuple[str, float, int]] = []

    def event() -> None:
        began = time.monotonic()
        try:
            ended = way.update(image)
        except Exception as error:  # what callers saw until then is worth knowing all the same
            ended = f"{type(error).__name__}: {str(error)[:500]}"
        seconds = time.monotonic() - began
        ends.append((ended, seconds, way.healthy(before)))

    trial = under_load(way.asking(), rate, event, around=1, longest=900)
    ((ended, seconds, left),) = ends
    return Updated(ended, round(seconds, 1), left, **_seen(trial))


def _seen(trial: Trial) -> dict:
    load = trial.load
    return {
        "requests": load.requests,
        "lost": trial.lost,
        "reopened": trial.reopened,
        "p99_ms": round(load.p99, 1) if trial.lost < load.requests else None,
        "losses": load.losses,
    }
