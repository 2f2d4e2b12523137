"""Which operations a runtime knows, made by trying: ``probes`` converted, run and compared on each target

A target's ``try_operators.py`` does it from torch's modules, ``try_onnx.py`` from ONNX files, by the Python
of the station that builds. An operation that ends the process, or takes longer than SECONDS, is a result like
any other; the rest goes on in a new process.
``fsdl-deploy edge operators --record`` writes ``infra/edge/operators.json``.
"""

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from tqdm.auto import tqdm

from fsdl_deploy.measuring import records
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.paths import ROOT
from fsdl_deploy.running.stations import NotBuilt
from fsdl_deploy.targets import catalogue, onnx_probes, probes
from fsdl_deploy.targets.catalogue import Target, TargetError

FILE = ROOT / "infra" / "edge" / "operators.json"
FROM_MODULES, FROM_ONNX = catalogue.PROBING
SECONDS = 180.0  # for one operation: a compiler's first answer can take a minute
OUTCOMES = {
    "runs": "✓",
    "converts": "(✓)",
    "differs": "≠",
    "not converted": "–",
    "does not run": "✗",
    "ends the process": "✗✗",
    "takes too long": "…",
}  # what a table shows


def names() -> list[str]:
    """The targets that can be asked."""
    return [name for name, of in catalogue.targets().items() if _program(of)]


def _program(target: Target) -> Path | None:
    files = [target.folder / name for name in (FROM_MODULES, FROM_ONNX)]
    return next((file for file in files if file.is_file()), None)


def tried(
    target: Target, operations: Sequence[str], folder: Path, seconds: float = SECONDS
) -> Iterator[dict[str, str]]:
    """For each operation ``name``, ``outcome`` (of OUTCOMES) and ``why``, in their order.

    ``folder`` takes the ONNX files, for all targets that want them.

    Raises NotBuilt where the target's station is not there, TargetError where its program does not begin.
    """
    program, left = _program(target), list(operations)
    words = [target.python(building=True), program]
    if program.name == FROM_ONNX:
        if not (folder / onnx_probes.LIST).exists():
            onnx_probes.write(folder)
        words.append(folder)
    while left:
        before = len(left)
        for row in _until_it_ends([*words, *left], target.root, seconds):
            left.remove(row["name"])
            yield row
        if len(left) == before:
            raise TargetError(f"{program.name} of {target.name} does not begin: run it to see why")


def _until_it_ends(command: list, root: Path, seconds: float) -> Iterator[dict[str, str]]:
    """The results of one process; if it ended early, the last one says so of the operation it was at."""
    quiet = {"CUDA_VISIBLE_DEVICES": "", "PYTHONUNBUFFERED": "1"}
    with tempfile.TemporaryFile("w+", errors="replace") as complaints:
        process = subprocess.Popen(
            list(map(str, command)), stdout=subprocess.PIPE, stderr=complaints, stdin=subprocess.DEVNULL,
            text=True, cwd=root, env=os.environ | quiet,
        )  # fmt: skip
        lines: queue.Queue[str | None] = queue.Queue()
        reader = threading.Thread(target=_pass_on, args=(process.stdout, lines))
        reader.start()
        at = None
        try:
            while (line := lines.get(timeout=seconds)) is not None:
                row = json.loads(line)
                at = row.get("begins")
                if at is None:
                    yield row
        except queue.Empty:
            process.kill()
            if at is not None:
                yield {"name": at, "outcome": "takes too long", "why": f"more than {seconds:.0f} s"}
            at = None
        finally:
            process.kill()
            status = process.wait()
            reader.join()
            process.stdout.close()
        if at is not None:
            complaints.seek(0)
            last = (complaints.read().strip().splitlines() or [""])[-1][:200]
            yield {"name": at, "outcome": "ends the process", "why": f"status {status}: {last}"}


def _pass_on(stream, lines: queue.Queue) -> None:
    for line in stream:
        lines.put(line)
    lines.put(None)


def read() -> dict[str, dict]:
    """The record: a part a target, with its date, machine and ``rows``."""
    return records.read(FILE)


def table(recorded: dict[str, dict] | None = None) -> Table:
    """Operations against runtimes, for a lesson to show."""
    recorded = read() if recorded is None else recorded
    known = catalogue.targets()
    outcomes = {name: {row["name"]: row["outcome"] for row in of["rows"]} for name, of in recorded.items()}
    needed = {row["name"]: row["needed_by"] for of in recorded.values() for row in of["rows"]}
    cells = [
        [operation, needed[operation], *(OUTCOMES.get(of.get(operation)) for of in outcomes.values())]
        for operation in needed
    ]
    dates = sorted({of["date"] for of in recorded.values()})
    words = ", ".join(f"{sign} {words}" for words, sign in OUTCOMES.items())
    header = ["operation", "needed by", *(known[name].title for name in outcomes)]
    return Table(header, *cells, notes=[words, f"tried on {' and '.join(dates)}"])


def counts(recorded: dict[str, dict] | None = None) -> dict[str, dict[str, int]]:
    """For each runtime how many operations were tried (``of``) and run, or convert where none can run."""
    recorded = read() if recorded is None else recorded
    return {
        name: {
            "of": len(part["rows"]),
            "pass": sum(row["outcome"] in ("runs", "converts") for row in part["rows"]),
        }
        for name, part in recorded.items()
    }


def add_arguments(parser) -> None:
    parser.add_argument("names", nargs="*", metavar="NAME", help="targets; by default all that are built")
    parser.add_argument("--only", action="append", default=[], metavar="OPERATION", help="only this one")
    parser.add_argument("--record", action="store_true", help="write the result into operators.json")


def main(args) -> int:
    """Status 1 where a target that was asked for by name did not answer."""
    known = probes.every()
    if strangers := sorted(set(args.only) - set(known)):
        raise ValueError(f"no such operation: {', '.join(strangers)}; there are {', '.join(known)}")
    if args.record and args.only:
        raise ValueError("--record writes all operations of a target: leave --only out")
    with tempfile.TemporaryDirectory(prefix="probes-") as folder:
        status, results = _asked(args, known, Path(folder))
    if results:
        print(table(results))
    for name, part in results.items():
        for row in part["rows"]:
            if row["why"]:
                print(f"{name}, {row['name']}: {row['outcome']}: {row['why']}")
    return status


def _asked(args, known: dict, folder: Path) -> tuple[int, dict[str, dict]]:
    status, results = 0, {}
    for name in args.names or names():
        try:
            if name not in names():
                raise TargetError(f"{name} has no program for it; these have: {', '.join(names())}")
            operations = args.only or list(known)
            rows = [
                row | {"needed_by": known[row["name"]].needed_by}
                for row in tqdm(
                    tried(catalogue.target(name), operations, folder), name, len(operations), leave=False
                )
            ]
        except (NotBuilt, TargetError) as error:
            print(f"{name}: {error}", file=sys.stderr)
            status = max(status, bool(args.names) or not isinstance(error, NotBuilt))
            continue
        results[name] = records.stamp() | {"rows": rows}
        if args.record:
            records.write_part(FILE, name, rows=rows)
    return status, results
