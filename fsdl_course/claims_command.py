"""`fsdl-course claims`: the lecture's sentences and where each is measured; with --page what came of it"""

import argparse
from pathlib import Path

from fsdl_course import claims_page
from fsdl_course.claims import Claim, ClaimError, misquoted, problems, read
from fsdl_course.lecture_sentences import unplaced
from fsdl_deploy import files
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.paths import ROOT

PAGE = Path("build") / "claims.md"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``fsdl-course claims``."""
    parser.add_argument("lesson", nargs="?", metavar="LESSON", help="for example 07 (default: all)")
    parser.add_argument(
        "--lecture", type=Path, metavar="FOLDER", help="compare with notes.md and slides.txt there"
    )
    parser.add_argument(
        "--page", action="store_true", help=f"write what each measured, and the verdicts, to {PAGE}"
    )


def main(args: argparse.Namespace) -> int:
    """List claims and where they run; 1 if one is missing, misquoted, misplaced, or not whole."""
    known = read()
    chosen = [claim for claim in known if args.lesson in (None, claim.lesson)]
    if not chosen:
        raise ClaimError(f"no claim belongs to a lesson {args.lesson!r}: lessons are called as in '07'")
    if args.page:
        (ROOT / PAGE).parent.mkdir(exist_ok=True)
        files.write(ROOT / PAGE, claims_page.document(ROOT, folder=PAGE.parent.as_posix()))
        print(f"written: {PAGE}")
    else:
        rows = [[claim.number, claim.lesson, claim.quote, _place(claim)] for claim in chosen]
        print(Table(["", "lesson", "the lecture", "runs in"], *rows))
    wrong = [*problems(chosen), *(() if args.lesson else unplaced(known, ROOT))]
    wrong += misquoted(chosen, args.lecture) if args.lecture else ()
    print(*wrong, sep="\n", end="\n" if wrong else "")
    return 1 if wrong else 0


def _place(claim: Claim) -> str:
    if claim.to_come or claim.undecided:
        return f"to come in {claim.to_come}" if claim.to_come else f"nowhere: {claim.undecided}"
    return claim.command or f"{claim.notebook}: {claim.section}"
