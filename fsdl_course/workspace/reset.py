"""``fsdl-course reset NAME``: a notebook of ``work/`` as the course has it, and yours kept beside it.

Without a name: which copies differ from the course's notebooks.
"""

import difflib
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from fsdl_course.workspace import copies
from fsdl_course.workspace.copies import WORK
from fsdl_deploy.paths import ROOT

BACKUPS = f"{WORK}/backups"


def find(words: str, root: Path = ROOT) -> str:
    """The notebook that somebody means: ``02``, ``02_batch``, ``tools/triton``, ``lab03``, or a path.

    ValueError names what it may have been.
    """
    names = copies.originals(root)
    known: dict[str, set[str]] = {}
    for name in names:
        for alias in _aliases(name):
            known.setdefault(alias, set()).add(name)
    query = words.replace("\\", "/").removeprefix("./").rstrip("/")
    if query not in known and Path(words).exists():  # a path as the shell completes it, from whichever folder
        place = Path(words).resolve()
        query = place.relative_to(root).as_posix() if place.is_relative_to(root) else query
    query = query.removeprefix(f"{WORK}/").removesuffix(".ipynb")
    meant = sorted(known.get(query, ()))
    if len(meant) == 1:
        return meant[0]
    near = [copies.short(name) for name in meant] or difflib.get_close_matches(query, known, 3, 0.5)
    hint = f": did you mean {' or '.join(near)}?" if near else ""
    hint = hint or f": there are {', '.join(copies.short(name) for name in names)}"
    raise ValueError(f"no notebook of the course is called {words!r}{hint}")


def _aliases(name: str) -> Iterator[str]:
    path = PurePosixPath(name).with_suffix("")
    yield from {path.as_posix(), copies.short(name), path.name}
    if lesson := re.match(r"notebooks/(\d\d[a-z]?)_", name):
        yield lesson[1]
    if path.parent.name == path.name:  # a lab has a folder of its own
        yield path.parent.as_posix()


def state(name: str, root: Path = ROOT) -> str:
    """How a copy differs from the course's notebook; "" if it does not."""
    path = root / WORK / name
    try:
        original = copies.copy_of(name, root)
    except ValueError:
        return f"the course's own file is damaged: 'git checkout -- {name}' gives it back"
    if not path.exists():
        return "is not there: 'make lab' makes it"
    try:
        present = copies.read(path)
    except ValueError:
        return "is no notebook"
    if copies.digest(present) == copies.digest(original):
        return ""
    if not copies.is_touched(present):
        return "is an older version: 'make lab' brings the new one"
    newer = ", and the course has a newer version" if copies.is_outdated(present, original) else ""
    return f"was run or edited{newer}"


def has_work(path: Path) -> bool:
    """Whether a copy holds anything that is not the course's."""
    try:
        return path.exists() and copies.is_touched(copies.read(path))
    except ValueError:
        return True


def reset(name: str, root: Path = ROOT) -> Path | None:
    """Put the course's version into ``work/``; return where the student's went, if there was any."""
    path, original = root / WORK / name, copies.copy_of(name, root)
    with copies.writing():
        backup = None
        if path.is_dir():
            raise IsADirectoryError(0, "a folder is in its place", str(path))
        if has_work(path):
            backup = free_name(root / BACKUPS, path.stem)
            copies.replace(backup, path.read_bytes())
        copies.write(path, original)
    return backup


def free_name(folder: Path, stem: str) -> Path:
    """A dated name that no file has yet."""
    dated = f"{stem}_{time.strftime('%Y-%m-%d_%H-%M-%S')}"
    path, number = folder / f"{dated}.ipynb", 1
    while path.exists():
        number += 1
        path = folder / f"{dated}_{number}.ipynb"
    return path


def add_arguments(parser) -> None:
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="02, tools/triton, lab03 or a path (default: list what differs)",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask before replacing a notebook")
    parser.add_argument(
        "--root", type=Path, metavar="FOLDER", default=ROOT, help="the course's folder (default: this one)"
    )


def main(args) -> int:
    """Give notebooks back as they were, or list those that differ; 1 if one was kept after all."""
    root = args.root.resolve()
    if not args.names:
        return _list(root)
    names = list(dict.fromkeys(find(words, root) for words in args.names))
    edited = copies.edited_originals(root)
    for name in names:
        if name in edited:
            raise ValueError(
                f"{name}, outside {WORK}/, was run, edited or saved itself: 'git checkout -- {name}' gives "
                f"back what the course has, and then 'fsdl-course reset {copies.short(name)}' works"
            )
    return max([_reset(name, root, args.yes) for name in names])


def _list(root: Path) -> int:
    if not (root / WORK).is_dir():
        print(f"There is no {WORK}/ yet: 'make lab' makes it.")
        return 0
    differing = {name: now for name in copies.originals(root) if (now := state(name, root))}
    for name, now in differing.items():
        print(f"{WORK}/{name} {now}")
    if differing:
        print(
            f"'fsdl-course reset {copies.short(next(iter(differing)))}' gives one back as the course has it."
        )
    else:
        print(f"Every notebook in {WORK}/ is as the course has it.")
    return 0


def _reset(name: str, root: Path, yes: bool) -> int:
    place = f"{WORK}/{name}"
    if not state(name, root):
        print(f"{place} is as the course has it: nothing to do.")
        return 0
    if has_work(root / place) and not yes and not _agreed(place):
        print(f"{place} stays as it is.")
        return 1
    backup = reset(name, root)
    print(f"{place} is as the course has it.")
    if backup:
        print(f"Yours is kept as {backup.relative_to(root).as_posix()}.")
        print("If it is open in JupyterLab: File > Reload Notebook from Disk.")
    return 0


def _agreed(place: str) -> bool:
    if sys.stdin is None or not sys.stdin.isatty():
        raise ValueError(f"{place} would be replaced, and nobody can be asked here: say --yes")
    try:
        answer = input(f"Replace {place}? Yours will be kept in {BACKUPS}/. [y/N] ")
    except EOFError:
        print()
        return False
    return answer.strip().lower() in ("y", "yes")
