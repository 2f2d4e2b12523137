"""``fsdl-course documents``: the pages that are made of data, GLOSSARY.md and CHOOSING.md

With ``--check`` nothing is written: it fails and says how a page differs.
"""

import argparse
import difflib
from collections.abc import Callable
from pathlib import Path

from fsdl_course import choosing, glossary
from fsdl_deploy import files
from fsdl_deploy.paths import ROOT

PAGES: dict[str, Callable[[Path], str]] = {glossary.PAGE: glossary.page, choosing.PAGE: choosing.page}


def differences(name: str, root: Path) -> str:
    """How the page ``name`` differs from what its data say, as a diff; "" where it does not."""
    path = root / name
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    lines = [text.splitlines(keepends=True) for text in (before, PAGES[name](root))]
    return "".join(difflib.unified_diff(*lines, name, "its data"))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``fsdl-course documents``."""
    parser.add_argument("--check", action="store_true", help="change nothing; fail and say how they differ")
    parser.add_argument(
        "--root", type=Path, metavar="FOLDER", default=ROOT, help="the course's folder (default: this one)"
    )


def main(args: argparse.Namespace) -> int:
    """Write the pages, or with --check print how they differ; 1 if one does."""
    changes = {name: differences(name, args.root) for name in PAGES}
    if args.check:
        print("".join(changes.values()), end="")
        return int(any(changes.values()))
    for name, change in changes.items():
        if change:
            files.write(args.root / name, PAGES[name](args.root))
        print(f"{name}: {'written' if change else 'the same already'}")
    return 0
