"""``fsdl-course cases FOLDER``: draw private cases for labs, as files that an instructor keeps and may edit.

Only arguments are written: what should come out is what the lab's solution returns.
"""

import argparse
import secrets
from pathlib import Path

from fsdl_course.labs import convert, questions
from fsdl_deploy.paths import ROOT


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder", type=Path, metavar="FOLDER", help="where LAB.json goes: outside the repository"
    )
    parser.add_argument("--lab", help="for example lab02 (default: all)")
    parser.add_argument("--seed", help="the same seed draws the same cases (default: a random one)")
    parser.add_argument("--force", action="store_true", help="write over files that are there")


def main(args: argparse.Namespace) -> int:
    names = [args.lab] if args.lab else convert.names()
    if args.folder.resolve().is_relative_to(ROOT):
        raise ValueError(f"{args.folder} is inside the repository, where students look: name another folder")
    taken = [name for name in names if (args.folder / f"{name}.json").exists()]
    if taken and not args.force:
        raise ValueError(f"{args.folder} has cases for {', '.join(taken)} already; --force writes over them")
    seed = args.seed or secrets.token_hex(8)
    for name in names:
        lab = questions.load(ROOT / "solutions" / name)
        cases = questions.drawn_cases(lab, seed)
        convert.solution_values(name, cases)  # the solution has a value for each
        questions.write_cases(args.folder / f"{name}.json", cases)
        print(f"{args.folder / f'{name}.json'}: {len(cases)} private cases")
    return 0
