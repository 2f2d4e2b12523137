"""Grading a class as a measurement: processor time, the grader's own memory, killed and gone on, run twice

The class is ``sample-class``'s, several labs, half of it hostile. ``fsdl-course grade`` runs as a program of
its own, so that what is measured is what an instructor starts. The scores of all runs must be byte-equal.

A sandbox is ended with all that is in it, and then Linux adds its time to nobody's (pid_namespaces(7)). So
the grader's sandboxes are asked while they run.
"""

import argparse
import contextlib
import hashlib
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

from fsdl_course.grading import sample
from fsdl_course.labs import convert
from fsdl_course.notebooks.conversion import write
from fsdl_deploy.measuring.machine import peak_memory

SCORES = ("scores.csv", "parts.csv")


def write_class(folder: Path, labs: list[str], students: int) -> None:
    """Hand-ins of the labs: one student as the course would have them, the next one hostile."""
    kinds = [(lab, *kind) for lab in labs for kind in sample.hand_ins(lab).items()]
    hostile = cycle([kind for kind in kinds if kind[1].startswith("Mal")])
    honest = cycle([kind for kind in kinds if not kind[1].startswith("Mal")])
    both = (kind for _ in range(students) for kind in (next(honest), next(hostile)))
    for number, (lab, student, notebook) in enumerate(islice(both, students)):
        path = folder / f"{student} {number:03}" / f"{lab}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(write(notebook), encoding="utf-8")


def run(hand_ins: Path, out: Path, kill_after: int | None = None) -> dict:
    """One run of the grader; with ``kill_after`` it is killed when so many results are there.

    Returns seconds, processor seconds (with those of bubblewrap's sandboxes, not of a container engine's) and
    the grader's own peak memory in MiB (0 where the system does not say it in /proc). RuntimeError if a run
    that was left alone did not end well.
    """
    import resource  # not on Windows, where nothing is graded

    command = [sys.executable, "-m", "fsdl_course.cli", "grade", str(hand_ins), "--out", str(out)]
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryFile() as words:
        grader = subprocess.Popen(command, stdout=words, stderr=words)
        peak, seen = 0.0, {}
        while grader.poll() is None:
            peak = max(peak, peak_memory(grader.pid))
            if kill_after is not None and len(list(out.glob("results/*.json"))) >= kill_after:
                grader.kill()
            note_sandboxes(grader.pid, seen)
            time.sleep(0.05)
        words.seek(0)
        # 1: a hand-in could not be read; but so does an error end, before any score is written
        if kill_after is None and (grader.returncode not in (0, 1) or not (out / SCORES[0]).exists()):
            raise RuntimeError(words.read()[-2000:].decode(errors="replace"))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    processor += sum(seen.values())
    return {
        "seconds": round(time.perf_counter() - began, 1),
        "processor": round(processor, 1),
        "peak_mib": round(peak),
        "results": len(list(out.glob("results/*.json"))),
    }


def note_sandboxes(grader: int, seen: dict[tuple[int, float], float]) -> None:
    """Note in ``seen`` the processor seconds so far of the first process in each of a grader's sandboxes.

    With them those of what it has waited for: all that student code does. Double is what ended by itself.
    """
    import psutil

    with contextlib.suppress(psutil.Error):
        for process in psutil.Process(grader).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                parent = process.parent()
                if process.name() != "bwrap" and parent is not None and parent.name() == "bwrap":
                    seen[process.pid, process.create_time()] = sum(process.cpu_times()[:4])


def sums_of(out: Path) -> tuple[str, ...]:
    """SHA-256 of all points, and of what each case said of the class.

    The points are the same wherever a class is graded. The words of the second may differ between ways to
    isolate it: one of them ends a function that forks, another the whole sandbox.
    """
    return tuple(hashlib.sha256((out / name).read_bytes()).hexdigest() for name in SCORES)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--students", type=int, default=60, help="hand-ins in the class (default: 60)")
    parser.add_argument("--labs", nargs="+", metavar="LAB", default=["lab00", "lab02"], help="of these labs")
    parser.add_argument(
        "--kill", nargs="*", type=int, default=[], metavar="N", help="kill a second run at these results"
    )
    parser.add_argument("--again", action="store_true", help="grade once more, into a new folder")


def main(args: argparse.Namespace) -> int:
    """Print what each run took; 1 if two runs do not give the same scores to the byte."""
    for lab in args.labs:
        if lab not in convert.names():
            raise ValueError(f"there is no lab {lab!r}: they are {', '.join(convert.names())}")
    if args.students < 2 or any(not 0 <= number < args.students for number in args.kill):
        raise ValueError("--students is 2 or more, and each number behind --kill is 0 or more and smaller")
    with tempfile.TemporaryDirectory() as folder:
        hand_ins = Path(folder, "hand-ins")
        write_class(hand_ins, args.labs, args.students)
        runs = [("whole", "first", None)]
        runs += [(f"killed at {number}", "second", number) for number in sorted(args.kill)]
        if args.kill:
            runs.append(("gone on", "second", None))
        if args.again:
            runs.append(("again", "third", None))
        sums = set()
        for name, out, kill_after in runs:
            print(name, run(hand_ins, Path(folder, out), kill_after), flush=True)
            if kill_after is None:
                sums.add(sums_of(Path(folder, out)))
        same = "the scores of all whole runs are the same" if len(sums) == 1 else "THE SCORES DIFFER"
        print(f"{same}: SHA-256 {', '.join(sorted({points[:16] for points, _ in sums}))}")
        return 0 if len(sums) == 1 else 1
