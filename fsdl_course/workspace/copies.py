"""The working copy: ``work/`` has the notebooks of the course in the same folders, and git ignores it.

Running and answering there changes no file that git knows. Each copy carries a digest of what it was when it
was made in its metadata: a copy that nobody touched follows the course, and any other is left alone.
Knows nothing of what is in a notebook but cells and links. Standard library only: ``tasks.py`` imports it.
"""

import contextlib
import hashlib
import json
import posixpath
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fsdl_course.workspace.links import relinked
from fsdl_deploy import files
from fsdl_deploy.paths import ROOT

WORK = "work"
FOLDERS = ("notebooks/*.ipynb", "notebooks/tools/*.ipynb", "labs/lab[0-9][0-9]/lab[0-9][0-9].ipynb")
MARK = "fsdl_copy"  # in a copy's metadata: {"of": which notebook, "digest": its content as it was copied}


class WorkspaceError(RuntimeError):
    """The working copy cannot be written; the message says what to do."""


@dataclass
class Changes:
    """What ``refresh`` did and left, as names of notebooks ("notebooks/02_batch.ipynb")."""

    added: list[str] = field(default_factory=list)
    renewed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    outdated: list[str] = field(default_factory=list)  # touched, while the course has another version by now
    edited: list[str] = field(default_factory=list)  # the course's own file is not what git has
    unreadable: list[str] = field(default_factory=list)  # the course's own file is no notebook
    damaged: list[str] = field(default_factory=list)  # the copy is no notebook, and is left as it is

    def sentences(self) -> list[str]:
        """What a student has to know, one sentence each; none on most days."""
        lines = []
        if self.outdated:
            lines.append(
                f"The course has a newer version of {_listed(self.outdated)}; yours was run or edited and is "
                f"kept: 'fsdl-course reset {short(self.outdated[0])}' in JupyterLab's terminal gets the new."
            )
        if self.damaged:
            lines.append(
                f"{_listed(self.damaged)} is no notebook any more and is left as it is: "
                f"'fsdl-course reset {short(self.damaged[0])}' puts the course's in its place."
            )
        for names, state in ((self.edited, "run, edited or saved"), (self.unreadable, "damaged")):
            if names:
                drop = f"'git checkout -- {' '.join(names)}' gives back what the course has"
                lines.append(f"Outside {WORK}/, {', '.join(names)} was {state}: {drop}.")
        if carried := [name for name in self.edited if name in self.added]:
            lines.append(f"What you did there is in {_listed(carried)}, too.")
        return lines


def _listed(names: list[str]) -> str:
    return ", ".join(f"{WORK}/{name}" for name in names)


def short(name: str) -> str:
    """What people call a notebook: ``02_batch``, ``tools/triton``, ``lab03``."""
    stem = name.removesuffix(".ipynb")
    return stem.removeprefix("notebooks/") if stem.startswith("notebooks/") else posixpath.basename(stem)


def originals(root: Path = ROOT) -> list[str]:
    """The notebooks that are copied, relative to ``root``, in the order of the course."""
    names = [path.relative_to(root).as_posix() for folder in FOLDERS for path in sorted(root.glob(folder))]
    return [name for name in names if not posixpath.basename(name).startswith(".")]


def edited_originals(root: Path = ROOT) -> set[str]:
    """Which notebooks differ from what git has; without git, none."""
    command = ["git", "-c", "core.quotepath=off", "diff", "--name-only", "--relative", "HEAD", "--"]
    try:
        process = subprocess.run(
            [*command, "notebooks", "labs"], cwd=root, capture_output=True, text=True, timeout=60, check=True
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return set()
    return set(process.stdout.splitlines())


def read(path: Path) -> dict:
    """The notebook in a file; ValueError if it holds none, or is a folder."""
    try:
        if path.is_dir():
            raise ValueError
        notebook = json.loads(path.read_bytes().decode("utf-8"))
        notebook["metadata"].get(MARK)
        digest(notebook)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError(f"{path.name} is no notebook") from None
    return notebook


def digest(notebook: dict) -> str:
    """Of what a person and a run put into a notebook: text, attachments, tags, outputs, counts.

    Other metadata stays out of it: JupyterLab writes its own into a notebook that is only opened.
    """
    content = []
    for cell in notebook["cells"]:
        tags = (cell.get("metadata") or {}).get("tags") or []
        parts = [cell["cell_type"], joined(cell["source"]), cell.get("attachments") or {}, tags]
        content.append([*parts, cell.get("execution_count"), joined(cell.get("outputs") or [])])
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def joined(value):
    """Text that was cut into lines in one piece: programs cut it in different ways."""
    if isinstance(value, list):
        lines = all(isinstance(item, str) for item in value)
        return "".join(value) if lines and value else [joined(item) for item in value]
    if isinstance(value, dict):
        return {key: joined(item) for key, item in value.items()}
    return value


def is_touched(notebook: dict) -> bool:
    """Whether a copy was run or edited since it was made; a notebook without our mark counts as touched."""
    mark = notebook["metadata"].get(MARK)
    return not isinstance(mark, dict) or mark.get("digest") != digest(notebook)


def copy_of(name: str, root: Path = ROOT, known: list[str] | None = None) -> dict:
    """The notebook that belongs at ``work/NAME``, with its mark; ValueError if the original is damaged.

    The folders are the same, so links between copied notebooks stay; those to other files of the course get
    the way out of ``work/``.
    """
    notebook = with_links(read(root / name), name, set(originals(root) if known is None else known), root)
    notebook["metadata"][MARK] = {"of": name, "digest": digest(notebook)}
    return notebook


def with_links(notebook: dict, name: str, copied: set[str], root: Path) -> dict:
    """A notebook of the course, changed in place, with its links as they are in ``work/``."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = relinked(
                joined(cell["source"]) or "", name, f"{WORK}/{name}", copied, root
            ).splitlines(True)
    return notebook


def refresh(root: Path = ROOT) -> Changes:
    """Make the copies that are missing, and renew those that nobody touched; WorkspaceError if it cannot.

    Outputs and counts make a copy touched, as text does: they took the student's time, and may be what an
    answer rests on. So does a course's file that somebody ran or edited: it is copied only where no copy is.
    """
    changes, names, edited = Changes(), originals(root), edited_originals(root)
    with writing():
        for name in names:
            try:
                copy = copy_of(name, root, names)
            except ValueError:
                changes.unreadable.append(name)
                continue
            if name in edited:
                changes.edited.append(name)
                copy["metadata"][MARK]["digest"] = ""  # it is somebody's work already
            _follow(root / WORK / name, copy, changes)
        for name, path in _left_over(root, set(names)):
            path.unlink()
            changes.removed.append(name)
    return changes


def _follow(path: Path, copy: dict, changes: Changes) -> None:
    """Bring one copy up to date, or say in ``changes`` why not."""
    mark = copy["metadata"][MARK]
    if not path.exists() or (
        path.is_file() and path.stat().st_size == 0
    ):  # empty: the machine stopped while it was written
        write(path, copy)
        changes.added.append(mark["of"])
        return
    try:
        present = read(path)
    except ValueError:  # whatever it is, somebody may want it
        changes.damaged.append(mark["of"])
        return
    if not mark["digest"]:
        return
    if digest(present) == mark["digest"]:
        if present["metadata"].get(MARK) != mark:  # another program dropped it
            write(path, copy)
    elif not is_touched(present):
        write(path, copy)
        changes.renewed.append(mark["of"])
    elif is_outdated(present, copy):
        changes.outdated.append(mark["of"])


def is_outdated(present: dict, current: dict) -> bool:
    """Whether a copy was made from another version than the course's file has now."""
    mark = present["metadata"].get(MARK)
    return isinstance(mark, dict) and mark.get("digest") != current["metadata"][MARK]["digest"]


def _left_over(root: Path, names: set[str]) -> Iterator[tuple[str, Path]]:
    """Untouched copies of notebooks that the course has no more."""
    for folder in FOLDERS:
        for path in sorted((root / WORK).glob(folder)):
            name = path.relative_to(root / WORK).as_posix()
            with contextlib.suppress(ValueError):
                notebook = None if name in names else read(path)
                if notebook and not is_touched(notebook) and notebook["metadata"][MARK].get("of") == name:
                    yield name, path


def write(path: Path, notebook: dict) -> None:
    """Write a notebook whole or not at all."""
    replace(path, (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode())


def replace(path: Path, content: bytes) -> None:
    """Put a file in the place of another in one step: who is stopped in between leaves the old one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write(path, content, durable=True)


@contextlib.contextmanager
def writing() -> Iterator[None]:
    """Say in one sentence what is wrong with the disk."""
    try:
        yield
    except OSError as error:
        place = f": {error.filename}" if error.filename else ""
        raise WorkspaceError(
            f"The working copy in {WORK}/ cannot be written ({error.strerror or error}{place}): "
            "free some space, or make the folder writable, and run the same command again."
        ) from None
