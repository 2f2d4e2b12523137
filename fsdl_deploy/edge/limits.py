"""A small device out of this machine: a process with a share of one core and so many MiB, by control groups

Linux's control groups, version 2 or 1, where this user may make them: as root, as a rule. A quarter of a core
is a slow processor in one respect only: it stands still three quarters of the time. So a card that is read
between two stops is as quick as ever, and ``mean`` is the figure that counts. Memory is what the process
touches first: pages of libraries that another process has loaded already count there. ``peak`` counts them
all. ``fsdl-deploy edge limited`` looks for the smallest that starts.
"""

import contextlib
import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from fsdl_deploy import files, weights
from fsdl_deploy.cards import cards
from fsdl_deploy.measuring import records
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.paths import ROOT
from fsdl_deploy.running.waiting import until
from fsdl_deploy.targets import card_files

GROUPS = Path("/sys/fs/cgroup")
RECORD = ROOT / "infra" / "edge" / "limits" / "recorded.json"
MEBIBYTES = (8, 12, 16, 20, 24, 32, 48, 64, 96, 128)
_ENTER = 'while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs" || exit 9; shift; done; shift; exec "$@"'


class NoLimits(RuntimeError):
    """This machine or this user cannot make control groups; the message says so."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the sentence."""
        return [str(self)]


@dataclass(frozen=True)
class DeviceRun:
    """``start``: seconds until it could read; ``mean`` ms of a card, and ``slowest``; ``peak`` MiB; readings.

    All None and empty where the process was ended for want of memory.
    """

    cores: float | None
    memory: int | None
    start: float | None = None
    mean: float | None = None
    slowest: float | None = None
    peak: float | None = None
    readings: tuple[str, ...] = ()

    @property
    def reads(self) -> bool:
        return self.mean is not None


@contextlib.contextmanager
def _groups(cores: float, memory: int) -> Iterator[list[str]]:
    """Control groups with these limits, as folders; they are removed afterwards. NoLimits where none can
    be.
    """
    quota = str(round(100_000 * cores))
    if (GROUPS / "cgroup.controllers").exists():
        bounds = {
            GROUPS: {"cpu.max": f"{quota} 100000", "memory.max": f"{memory * 2**20}", "memory.swap.max": "0"}
        }
    else:
        bounds = {
            GROUPS / "cpu": {"cpu.cfs_quota_us": quota},
            GROUPS / "memory": {"memory.limit_in_bytes": str(memory * 2**20), "memory.swappiness": "0"},
        }
    name, folders = f"fsdl-device-{os.getpid()}-{secrets.token_hex(4)}", []
    try:
        for parent, settings in bounds.items():
            folder = parent / name
            folder.mkdir()
            folders.append(folder)
            for file, value in settings.items():
                if (folder / file).exists() or file not in ("memory.swap.max", "memory.swappiness"):
                    (folder / file).write_text(value, encoding="ascii")
    except OSError as error:
        for folder in folders:
            folder.rmdir()
        raise NoLimits(
            f"No process can be limited here ({error.strerror or error}): that needs Linux, and root."
        ) from None
    try:
        yield [str(folder) for folder in folders]
    finally:
        for folder in folders:
            until(lambda folder=folder: _removed(folder), 10, NoLimits, f"{folder.name} empty", pause=0.02)


def _removed(folder: Path) -> bool:
    """The kernel takes a moment to see that the last process has gone."""
    with contextlib.suppress(OSError):
        folder.rmdir()
    return not folder.exists()


def run(
    graph: Path, images: Sequence, cores: float | None = None, memory: int | None = None, seconds: float = 120
) -> DeviceRun:
    """Read ``images`` with an ONNX file in a process of its own; with ``cores`` and ``memory`` (MiB) limited.

    Raises NoLimits where limits cannot be had, RuntimeError if the process fails for another reason.
    """
    program = Path(__file__).with_name("on_device.py")
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        pictures = Path(folder) / "cards.npz"
        card_files.write_cards(pictures, list(images))
        command = [sys.executable, str(program), str(graph), str(pictures)]
        if cores is not None and memory is not None:
            command = ["sh", "-c", _ENTER, "sh", *stack.enter_context(_groups(cores, memory)), "--", *command]
        variables = os.environ | {"ORT_DISABLE_TELEMETRY": "1", "PYTHONPATH": str(ROOT)}
        result = subprocess.run(command, capture_output=True, text=True, timeout=seconds, env=variables)
    if result.returncode == 9:
        raise NoLimits("No process can be limited here: it may not enter a control group.")
    starved = result.returncode in (-9, 137) or "MemoryError" in result.stderr or "bad_alloc" in result.stderr
    if memory is not None and starved:
        return DeviceRun(cores, memory)
    if result.returncode:
        raise RuntimeError(f"on_device.py failed: {result.stderr.strip().splitlines()[-1]}")
    answer = json.loads(result.stdout.splitlines()[-1])
    took = answer["ms"]
    return DeviceRun(
        cores, memory, answer["start"], fmean(took), max(took), answer["peak"], tuple(answer["readings"])
    )


def smallest(
    graph: Path, images: Sequence, cores: float = 0.25, among: Sequence[int] = MEBIBYTES
) -> list[DeviceRun]:
    """One run for each memory, rising, until the first in which the cards are read."""
    runs = []
    for memory in sorted(among):
        runs.append(run(graph, images, cores, memory))
        if runs[-1].reads:
            break
    return runs


def recorded() -> list[DeviceRun]:
    """The runs of the record, the one without limits first. FileNotFoundError where there is none."""
    rows = records.read(RECORD)["runs"]
    return [DeviceRun(**row | {"readings": tuple(row["readings"])}) for row in rows]


def table(runs: Sequence[DeviceRun]) -> Table:
    """What was tried: for a terminal and for a lesson. A note says where the times cannot be compared."""
    rows = [
        [
            "no limit" if r.cores is None else f"{r.cores:g} cores",
            "no limit" if r.memory is None else f"{r.memory} MiB",
            "reads" if r.reads else "ended for want of memory",
            *(r.start, r.mean, r.slowest, r.peak),
        ]
        for r in runs
    ]
    header = ["", "", "", "start (s)", "card, mean (ms)", "slowest card (ms)", "peak (MiB)"]
    return Table(header, *rows, formats=["", "", "", ".1f", ".1f", ".1f", ".0f"], notes=_doubts(runs))


def _doubts(runs: Sequence[DeviceRun]) -> list[str]:
    """A sentence where a process was slower without a limit than with one: other programs ran as well."""
    free = [run for run in runs if run.cores is None and run.reads]
    limited = [run for run in runs if run.cores is not None and run.reads]
    slower = [
        words
        for words, of in (("started", lambda run: run.start), ("read", lambda run: run.mean))
        if free and limited and max(map(of, free)) > min(map(of, limited))
    ]
    if not slower:
        return []
    return [
        f"Without a limit it {' and '.join(slower)} more slowly than with one: no limit does that, so this"
        " machine was busy with other programs. Compare the memory, and no times."
    ]


def add_arguments(parser) -> None:
    parser.add_argument("--cores", type=float, default=0.25, help="share of one core")
    parser.add_argument("--cards", type=int, default=200, help="cards to read")
    parser.add_argument("--version", default="v2", help="which model")
    parser.add_argument("--json", type=files.output, metavar="FILE", help="write what was tried to this file")


def main(args) -> int:
    """Try memory after memory; 1 where none of them is enough."""
    if not 0 < args.cores <= 64 or args.cards < 1:
        raise ValueError("--cores must be above 0, --cards at least 1")
    weights.verified(f"{args.version}.onnx")
    graph = weights.folder() / f"{args.version}.onnx"
    deck = list(cards(args.cards, "typical", seed=7))
    images = [card.image for card in deck]
    free, runs = run(graph, images), smallest(graph, images, args.cores)
    same = [r.readings == free.readings for r in runs if r.reads]
    print(table([free, *runs]))
    if args.json:
        records.write(args.json, version=args.version, same=all(same), runs=[free, *runs])
    return 0 if same else 1
