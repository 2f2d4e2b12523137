"""``fsdl-course capstone new FOLDER``: a folder to hand in, with a service that starts and then fails.

``--example`` writes one of the course's own instead: services that hold the contract, in several languages,
and services that break one thing each. An example may stand on another one, of which it replaces files.
"""

import shlex
import shutil
from pathlib import Path

from fsdl_course.capstone.brief import NOBODY, brief_of, seed_of
from fsdl_deploy.paths import ROOT

START, EXAMPLES = "labs/lab10/start", "solutions/lab10"
BELOW = {"reference": "", "python": "", "node": "", "java": ""}
"""Example -> the example below it; "" for none."""
BROKEN = ("answers_first", "forgets_the_end", "grows", "ready_too_soon")
BELOW |= {name: "python" for name in BROKEN}


def handed_out(root: Path = ROOT) -> Path:
    """The folder that every student begins with."""
    return root / START


def write(folder: Path, example: str = "", root: Path = ROOT) -> None:
    """Make the folder. Raises ValueError for an unknown example, FileExistsError for a folder in use."""
    if example and example not in BELOW:
        raise ValueError(f"there is no example {example!r}: they are {', '.join(BELOW)}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder} is there already: name a folder that does not exist yet")
    places = [handed_out(root)] if not example else []
    layer = example
    while layer:
        place = root / EXAMPLES / ("broken" if layer in BROKEN else "") / layer
        places.insert(0, place)
        layer = BELOW[layer]
    for place in places:
        shutil.copytree(place, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    if not (folder / "decision.md").exists():
        shutil.copy(handed_out(root) / "decision.md", folder)


def add_arguments(parser) -> None:
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where it is made: a new folder")
    parser.add_argument("--name", default="", help="your name, from which your brief is drawn")
    parser.add_argument("--example", default="", metavar="EXAMPLE", help=", ".join(BELOW))


def main(args) -> int:
    """Make the folder with the brief in it, and say what is wanted and what to do next."""
    write(args.folder, args.example)
    text = brief_of(seed_of(args.name)).text()
    (args.folder / "brief.txt").write_text(text + "\n", encoding="utf-8")
    print(text)
    if not args.name.strip():
        print(NOBODY)
    words = shlex.join([str(args.folder), "--name", args.name or "YOUR-NAME"])
    print(f"made {args.folder}; now try it: fsdl-course capstone try {words}")
    return 0
