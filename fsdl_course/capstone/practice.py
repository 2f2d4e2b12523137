"""``fsdl-course capstone try FOLDER``: a public replay against your service, and what it shows."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from fsdl_course.capstone import brief, checker, hand_in, history, points, timetable
from fsdl_course.capstone.verdicts import CriterionVerdict, ReplayCase
from fsdl_course.labs.backends.backend import SandboxError
from fsdl_deploy import files
from fsdl_deploy.paths import ROOT

SECONDS = 28.0
PATIENCE = 420.0  # beyond the load: starts that fail, a drain, the lookups, on a busy machine
TELLING = ("wrong", "expected", "first_within_s", "first_seconds", "within_s", "seconds", "status", "fields")
PORT = 8010  # in a network of its own: nobody else is there


def specification(work: Path, folder: hand_in.HandIn, brief_seed: int, seed: int, seconds: float) -> dict:
    """Prepare the folders of a trial below ``work`` -> what the arena is told."""
    place = {name: str(work / name) for name in ("service", "models", "state")}
    hand_in.copy(folder, work / "service")
    place_models(work / "models")
    (work / "state").mkdir()
    work.chmod(0o755)
    return {
        "words": list(folder.start),
        "place": {**place, "port": PORT, "memory_mb": folder.memory_mb},
        "brief_seed": brief_seed, "seed": seed, "seconds": seconds, "history": str(work / "history.jsonl"),
    }  # fmt: skip


def place_models(folder: Path) -> None:
    """The models of a trial: the good versions, their sums, and one that does not load."""
    folder.mkdir()
    for version in ("v1", "v2"):
        shutil.copyfile(ROOT / "models" / f"{version}.onnx", folder / f"{version}.onnx")
    shutil.copyfile(ROOT / "models" / "SHA256SUMS", folder / "SHA256SUMS")
    whole = (ROOT / "models" / "v2.onnx").read_bytes()
    (folder / f"{timetable.BROKEN_NAME}.onnx").write_bytes(whole[: len(whole) // 2])


def judged(
    folder: Path, brief_seed: int, seed: int, seconds: float = SECONDS, out: Path | None = None
) -> list[CriterionVerdict]:
    """Run one trial of a folder and judge it; history and verdicts are kept in ``out``.

    Raises HandInError for a folder that cannot be started, SandboxError where there is no isolation here.
    """
    if shutil.which("bwrap") is None or sys.platform != "linux":
        raise SandboxError("the capstone needs Linux with bubblewrap: install the package bubblewrap")
    handed = hand_in.read(folder)
    with tempfile.TemporaryDirectory(prefix="fsdl-capstone-") as temporary:
        work = Path(temporary)
        (work / "service").mkdir()
        spec = specification(work, handed, brief_seed, seed, seconds)
        (work / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
        _run(work, seconds)
        file = work / "history.jsonl"
        events = history.read(file) if file.exists() else []
        case = ReplayCase(events, brief.brief_of(brief_seed), seed, seconds, handed.memory_mb)
        verdicts = checker.check(case)
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, out / "history.jsonl")
            rows = [asdict(verdict) for verdict in verdicts]
            files.write(out / "verdicts.json", json.dumps(rows, indent=1) + "\n")
        return verdicts


def _run(work: Path, seconds: float) -> None:
    with (work / "arena.log").open("wb") as log:
        command = [sys.executable, "-m", "fsdl_course.capstone.arena", str(work / "spec.json")]
        arena = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stderr=log, start_new_session=True
        )
        try:
            status = arena.wait(seconds + PATIENCE)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            if arena.poll() is None:
                os.killpg(arena.pid, signal.SIGKILL)
                arena.wait()
    if status == 3:
        raise SandboxError((work / "arena.log").read_text(encoding="utf-8", errors="replace").strip())
    if status:
        raise RuntimeError((work / "arena.log").read_text(encoding="utf-8", errors="replace")[-2000:])


def earned(verdicts: list[CriterionVerdict]) -> int:
    """The points of what is held."""
    held = {verdict.criterion for verdict in verdicts if verdict.verdict == points.HELD}
    return sum(criterion.points for criterion in points.TABLE if criterion.name in held)


def shortened(event: dict, most: int = 300) -> str:
    """An event of the evidence in a line that begins with what was wrong and what was expected."""
    first = {name: event[name] for name in TELLING if name in event}
    return files.printable(json.dumps(first | event))[:most]


def add_arguments(parser) -> None:
    parser.add_argument("folder", metavar="FOLDER", help="the folder that you will hand in")
    parser.add_argument("--name", default="", help="your name, from which your brief is drawn")
    parser.add_argument("--seed", type=int, default=0, help="another replay by another seed")
    parser.add_argument("--out", metavar="DIR", help="keep history.jsonl and verdicts.json here")


def main(args) -> int:
    if args.seed < 0:
        raise ValueError(f"--seed is a whole number from 0 up, not {args.seed}")
    out = Path(args.out) if args.out else None
    student = brief.seed_of(args.name)
    print(brief.brief_of(student).text())
    if not args.name.strip():
        print(brief.NOBODY)
    verdicts = judged(Path(args.folder), student, args.seed, out=out)
    for verdict in verdicts:
        print(f"{verdict.criterion:12} {verdict.verdict:8} {verdict.why}")
        for event in verdict.evidence[:2] if verdict.verdict == points.BROKEN else []:
            print(f"{'':12} {shortened(event)}")
    print(f"{earned(verdicts)} of {points.TOTAL} points in this replay")
    if out is None:
        print("The evidence is cut: --out DIR keeps all of it.")
    return 0
