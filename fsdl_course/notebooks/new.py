"""``fsdl-course notebooks new``: the source of a tool notebook, started from the template."""

import re
import shutil
from pathlib import Path

from fsdl_course.notebooks.percent import NotebookError
from fsdl_deploy.paths import ROOT


def new(name: str, root: Path = ROOT) -> Path:
    """Start the source of a tool notebook from the template; return its path."""
    source = root / "notebooks" / "source" / f"{name}.py"
    if not re.fullmatch(r"tools/[a-z0-9]+(_[a-z0-9]+)*", name):
        raise NotebookError(f"name a tool notebook like tools/triton, not {name!r}")
    if source.exists():
        raise NotebookError(f"{source.relative_to(root)} exists already")
    shutil.copyfile(root / "notebooks" / "source" / "tools" / "_template.py", source)
    return source


def add_arguments(parser) -> None:
    parser.add_argument("name", metavar="NAME", help="for example tools/triton")
    parser.add_argument(
        "--root", type=Path, metavar="FOLDER", default=ROOT, help="the course's folder (default: this one)"
    )


def main(args) -> int:
    """Start the source, and say what to do next."""
    root = args.root.resolve()
    print(f"{new(args.name, root).relative_to(root)} is yours: replace every TODO, then build it")
    return 0
