"""``fsdl-course labs``: write the instructor's and the student's notebook of each lab, or check them."""

import sys
from pathlib import Path

from fsdl_course.labs import pages, questions, rules
from fsdl_course.labs.convert import files, names
from fsdl_course.notebooks.conversion import difference, parse, read
from fsdl_course.notebooks.edits import is_edited
from fsdl_course.notebooks.percent import NotebookError
from fsdl_deploy.paths import ROOT


def build(name: str, root: Path = ROOT, force: bool = False) -> None:
    """Write the lab's files; NotebookError if that would lose edits in its notebooks, without ``force``."""
    texts = _files(name, root)
    for path, text in texts.items():
        if path.suffix == ".ipynb" and path.exists() and not force and is_edited(read(path), parse(text)):
            raise NotebookError(
                f"{path.relative_to(root).as_posix()} was edited by itself, and building would lose that. "
                "Keep edits of the solutions with "
                f"'fsdl-course notebooks import solutions/{name}/{name}.ipynb', or build with --force"
            )
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


def differences(name: str, root: Path = ROOT) -> list[str]:
    """How the committed files differ from what the source makes, as unified diffs."""
    diffs = []
    for path, text in _files(name, root).items():
        committed = path.read_text(encoding="utf-8") if path.exists() else ""
        relative = path.relative_to(root).as_posix()
        if diff := difference(committed, text, relative):
            diffs.append(diff)
    return diffs


def _files(name: str, root: Path) -> dict[Path, str]:
    return pages.files(name, root) if name in pages.names(root) else files(name, root)


def add_arguments(parser) -> None:
    parser.add_argument("names", nargs="*", metavar="LAB", help="for example lab02 (default: all)")
    parser.add_argument(
        "--check",
        action="store_true",
        help="change nothing; fail if building would, or on a breach of the rules",
    )
    parser.add_argument("--force", action="store_true", help="build over notebooks edited by themselves")


def main(args) -> int:
    """Build labs, or with --check say how they differ and what they break; 1 on a problem."""
    failed = 0
    without_questions = pages.names()
    for name in args.names or [*names(), *without_questions]:
        try:
            if args.check:
                judge = pages.problems if name in without_questions else rules.problems
                problems = [f"{problem}\n" for problem in judge(name)] + differences(name)
                print("".join(problems), end="")
                failed += bool(problems)
            else:
                build(name, force=args.force)
                print(f"solutions/{name} -> labs/{name}")
        except (NotebookError, questions.CasesError) as error:
            failed += 1
            print(f"{name}: {error}", file=sys.stderr)
    if args.check and failed:
        print(f"{failed} labs differ from their sources (make labs), or break the contract", file=sys.stderr)
    return 1 if failed else 0
