"""``fsdl-course mutants [LAB …]``: which faults in a lab's solution its cases do not notice

Each function of the solutions is tried with one small fault after the other (``faults``). A fault that
costs no point is a survivor: it is printed as a difference, and asks for a case, or, if it is none, for an
entry in ``solutions/LAB/equivalent.toml``. One process at a time.
"""

import argparse
import os
import re
import time
from pathlib import Path

from fsdl_course.grading.answer_key import SEED
from fsdl_course.grading.mutants import equivalent, trial
from fsdl_course.grading.mutants.mutation import FaultySolution
from fsdl_course.labs import convert, questions
from fsdl_deploy.paths import ROOT

BAR = 0.97  # of the mutants that are no equivalents, in every lab


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="LAB", help="for example lab02 (default: all)")
    parser.add_argument("--question", metavar="QN", help="one question of the labs, for example q3")
    parser.add_argument(
        "--cases",
        choices=("public", "default", "private"),
        default="default",
        help="those that students see, those that the grader adds, or both (default: default)",
    )
    parser.add_argument("--seed", default=SEED, help="draws other private cases (default: the course's own)")


def main(args: argparse.Namespace) -> int:
    """Try all mutants; 1 where too few of a lab's are noticed (``BAR``), or its list has a wrong entry."""
    known = convert.names()
    if unknown := [name for name in args.names if name not in known]:
        raise ValueError(f"there is no lab {unknown[0]!r}: they are {', '.join(known)}")
    if args.question and not re.fullmatch(r"q\d", args.question):
        raise ValueError(f"--question is q1, q2, …, not {args.question!r}")
    short = 0
    for name in args.names or known:
        short += not _tried(name, args)
    return 1 if short else 0


def chosen_cases(name: str, which: str, seed: str = SEED, root: Path = ROOT) -> list[questions.Case]:
    """The "public", "private" or "default" (both) cases of a lab."""
    lab = questions.load(root / "solutions" / name)
    public = [] if which == "private" else questions.public_cases(lab)
    return public + ([] if which == "public" else questions.drawn_cases(lab, seed))


def _tried(name: str, args: argparse.Namespace) -> bool:
    """Print what a lab's cases do not notice; whether that is little enough."""
    began = time.process_time(), _of_children()
    listed = {entry.mutant: entry for entry in equivalent.equivalents(name)}
    count, survivors, met, noticed = 0, 0, set(), []
    exercises = [
        exercise
        for exercise in trial.exercises(name, chosen_cases(name, args.cases, args.seed))
        if args.question in (None, exercise.question.id)
    ]
    with trial.workplace():
        for exercise in exercises:
            mutants = exercise.mutants()
            alive = [mutant for mutant in mutants if not exercise.lost(mutant.source)]
            met |= {mutant.digest for mutant in mutants}
            unlisted = [mutant for mutant in alive if mutant.digest not in listed]
            count += len(mutants) - sum(mutant.digest in listed for mutant in mutants)
            survivors += len(unlisted)
            for mutant in unlisted:
                print(_survivor(exercise, mutant))
            noticed += sorted({m.digest for m in mutants} & set(listed) - {m.digest for m in alive})
    seconds = sum(now - then for now, then in zip((time.process_time(), _of_children()), began, strict=True))
    share = 1 - survivors / count if count else 1.0
    print(
        f"{name}: {count - survivors} of {count} faults are noticed ({share:.1%}), {len(listed)} are "
        f"equivalent; {seconds:.0f} s of processor time",
        flush=True,
    )
    expired = [] if args.question else sorted(set(listed) - met)
    for digest in expired:
        print(f"{name}: {digest} ({listed[digest].change}) is no mutant any more: take it off the list")
    for digest in noticed:
        print(f"{name}: {digest} ({listed[digest].change}) is listed as equivalent, and is noticed")
    return share >= BAR and not expired and not noticed


def _survivor(exercise: trial.TriedQuestion, mutant: FaultySolution) -> str:
    lines = mutant.difference.replace("\n", "\n    ")
    return f"{exercise.lab} {exercise.question.id} {mutant.digest}\n    {lines}"


def _of_children() -> float:
    """Seconds of processor time of all processes that this one started and that have ended."""
    times = os.times()
    return times.children_user + times.children_system
