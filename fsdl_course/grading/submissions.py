"""Finds the notebooks that students handed in: a folder or a zip of a learning platform, in its usual forms.

Reads them as data, with bounds, and keeps only what grading needs: nothing is executed or unpacked by name
here, links are not followed, outputs are dropped. A notebook that cannot be read is a submission with a
``problem``, never an exception. Knows nothing of points.
"""

import json
import re
import stat
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

MEBIBYTE = 1 << 20
MOST_BYTES = 400 * MEBIBYTE  # of one notebook; nearly all of a large one are outputs
MOST_CODE = 1 * MEBIBYTE  # of the text of its cells
MOST_CELLS = 5000
MOST_ENTRIES = 100_000
IN_PROCESS = 5 * MEBIBYTE  # above it, a process with a bound on its memory reads the notebook
READ_MEMORY = 2048 * MEBIBYTE
READ_SECONDS = 60
MOODLE = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_file_?$")
CANVAS = re.compile(r"(?P<name>[^_]+)_(?:LATE_)?(?P<id>\d+)_\d+_.+")
LAB = re.compile(r"lab\d\d")


class SubmissionsError(ValueError):
    """There is nothing to grade at this place; the message says what to do."""


@dataclass
class Submission:
    """One student's notebook of one lab; ``problem`` says why it could not be read, if so.

    ``cells`` are dicts with ``cell_type``, ``source``, ``id`` and ``metadata`` (tags and nbgrader's marks).
    """

    student: str
    lab: str
    origin: str
    cells: list[dict] = field(default_factory=list)
    problem: str = ""


def collect(place: Path, lab: str | None = None) -> list[Submission]:
    """Every notebook at ``place``, sorted by lab and student; SubmissionsError if there is none.

    ``lab`` says which lab all of them are; without it each says so itself, or its name does. A second
    notebook of the same student and lab is kept apart with a number.
    """
    if not place.exists():
        raise SubmissionsError(f"{place} does not exist: name a folder of notebooks, or a zip")
    if place.is_dir():
        found = list(_in_folder(place, lab))
    elif zipfile.is_zipfile(place):
        found = list(_in_zip(place, lab))
    elif place.suffix == ".ipynb":
        found = [_submission(place.name, place, lab)]
    else:
        raise SubmissionsError(f"{place} is neither a folder, a zip, nor a notebook")
    if not found:
        raise SubmissionsError(f"{place} holds no notebook (*.ipynb)")
    seen: dict[tuple, int] = {}
    for submission in sorted(found, key=lambda one: (one.lab, one.student, one.origin)):
        key = (submission.lab, submission.student.casefold())
        seen[key] = seen.get(key, 0) + 1
        if seen[key] > 1:
            submission.student += f" ({seen[key]})"
    return sorted(found, key=lambda one: (one.lab, one.student))


def _in_folder(folder: Path, lab: str | None) -> Iterator[Submission]:
    for path in sorted(folder.rglob("*")):  # does not follow links to folders
        name = path.relative_to(folder).as_posix()
        if _passed_over(name):
            continue
        if path.suffix == ".zip" and not path.is_symlink() and path.is_file():
            yield from _in_zip(path, lab, within=name.removesuffix(".zip"))
        elif path.suffix == ".ipynb":
            if stat.S_ISREG(path.lstat().st_mode):
                yield _submission(name, path, lab)
            else:
                yield _unread(name, lab, "it is a link or a special file, not a notebook")


def _in_zip(path: Path, lab: str | None, within: str = "") -> Iterator[Submission]:
    """Notebooks in a zip, and in zips in it; each is read through a temporary file of our own name."""
    try:
        with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory(prefix="fsdl-grade-") as folder:
            entries = archive.infolist()
            if len(entries) > MOST_ENTRIES:
                yield _unread(within or path.name, lab, f"the zip holds {len(entries)} files")
                return
            for entry in sorted(entries, key=lambda one: one.filename):
                name = "/".join(part for part in (within, entry.filename) if part)
                inner = entry.filename.endswith(".zip") and not within
                if entry.is_dir() or _passed_over(name) or not (entry.filename.endswith(".ipynb") or inner):
                    continue
                if stat.S_ISLNK(entry.external_attr >> 16):
                    yield _unread(name, lab, "it is a link, not a notebook")
                    continue
                copy = Path(folder) / ("inner.zip" if inner else "one.ipynb")
                if problem := _copied(archive, entry, copy):
                    yield _unread(name, lab, problem)
                elif inner:
                    yield from _in_zip(copy, lab, within=name.removesuffix(".zip"))
                else:
                    yield _submission(name, copy, lab)
                copy.unlink(missing_ok=True)
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        yield _unread(within or path.name, lab, f"the zip cannot be read: {error}")


def _copied(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, to: Path) -> str:
    """Copy one entry, at most MOST_BYTES of it whatever it claims; return what is wrong with it, or ""."""
    try:
        with archive.open(entry) as reading, to.open("wb") as writing:
            left = MOST_BYTES
            while piece := reading.read(min(MEBIBYTE, left + 1)):
                left -= len(piece)
                if left < 0:
                    return f"it is larger than {MOST_BYTES >> 20} MiB"
                writing.write(piece)
    except (RuntimeError, NotImplementedError, zipfile.BadZipFile, EOFError, OSError, ValueError) as error:
        return f"it cannot be unpacked: {error}"  # encrypted, an unknown method, damaged
    return ""


def _passed_over(name: str) -> bool:
    """Checkpoints, and what a Mac adds to a zip."""
    return any(
        (part.startswith(".") and part != "..") or part == "__MACOSX" for part in PurePosixPath(name).parts
    )


def _unread(name: str, lab: str | None, problem: str) -> Submission:
    student, from_name = who(name)
    return Submission(student, lab or from_name or "?", _written(name), problem=problem)


def _submission(name: str, path: Path, lab: str | None) -> Submission:
    student, from_name = who(name)
    try:
        told, cells = read(path)
    except (ValueError, OSError) as error:
        return _unread(name, lab, str(error))
    return Submission(student, lab or told or from_name or "?", _written(name), cells)


def _written(text: str) -> str:
    """Text that can be written as UTF-8: names of files and notebooks may hold half a character."""
    return text.encode("utf-8", "replace").decode("utf-8")


def who(name: str) -> tuple[str, str]:
    """A path in a hand-in -> (student, lab or ""): ``ann/lab02.ipynb``, ``ann.ipynb``, Moodle's, Canvas's.

    The student is the first part of the path that is no lab; characters that mean something in a path or a
    page stay, so whoever writes them somewhere has to escape them.
    """
    parts = [part for part in PurePosixPath(name.replace("\\", "/")).parts if part not in ("/", "..", ".")]
    parts[-1] = parts[-1].removesuffix(".ipynb")
    lab = next((found[0] for part in reversed(parts) if (found := LAB.search(part))), "")
    named = [part for part in parts if not LAB.fullmatch(part)] or [parts[-1]]
    student = named[0]
    if (found := MOODLE.fullmatch(student)) or (len(named) == 1 and (found := CANVAS.fullmatch(student))):
        student = f"{found['name']} {found['id']}"
    else:
        student = re.sub(r"[-_ ]*lab\d\d[-_ ]*", "", student) or student
    return _written(student)[:100], lab


def read(path: Path) -> tuple[str, list[dict]]:
    """An ``.ipynb`` -> (the lab it says it is, or "", its cells without outputs); ValueError says why not."""
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise ValueError(f"it is larger than {MOST_BYTES >> 20} MiB")
    if size == 0:
        raise ValueError("it is empty")
    if size <= IN_PROCESS:
        return slim(path)
    command = [sys.executable, "-m", "fsdl_course.grading.submissions", str(path), str(READ_MEMORY)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=READ_SECONDS, check=False)
        said = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        raise ValueError(f"it is too large to be read ({size >> 20} MiB)") from None
    if "problem" in said:
        raise ValueError(said["problem"])
    return said["lab"], said["cells"]


def slim(path: Path) -> tuple[str, list[dict]]:
    """As ``read``, in this process."""
    try:
        content = json.loads(path.read_bytes().decode("utf-8", "replace"))
        cells = content.get("cells")
        if cells is None and "worksheets" in content:  # the format of before 2015
            cells = [cell for sheet in content["worksheets"] for cell in sheet["cells"]]
        kept = [slim_cell(cell) for cell in cells]
        lab = content.get("metadata", {}).get("fsdl_lab", "")
    except (ValueError, RecursionError, MemoryError, AttributeError, TypeError, KeyError):
        raise ValueError("it is no notebook") from None
    if len(kept) > MOST_CELLS:
        raise ValueError(f"it has more than {MOST_CELLS} cells")
    if sum(len(cell["source"]) for cell in kept) > MOST_CODE:
        raise ValueError(f"its cells hold more than {MOST_CODE >> 20} MiB of text")
    if not (isinstance(lab, str) and LAB.fullmatch(lab)):
        ids = (str(cell["metadata"].get("nbgrader", {}).get("grade_id", "")) for cell in kept)
        lab = next((found[0] for text in ids if (found := LAB.match(text))), "")
    return lab, kept


def slim_cell(cell: dict) -> dict:
    """What grading needs of a notebook's cell; TypeError or KeyError if it is none."""
    source = cell.get("source", cell.get("input", ""))
    source = "".join(source) if isinstance(source, list) else source
    if not isinstance(source, str):
        raise TypeError("a cell's source is no text")
    metadata = cell.get("metadata") if isinstance(cell.get("metadata"), dict) else {}
    tags = [tag for tag in metadata.get("tags") or () if isinstance(tag, str)]
    marks = metadata.get("nbgrader") if isinstance(metadata.get("nbgrader"), dict) else {}
    marked = {"grade_id": _written(str(marks.get("grade_id", ""))), "grade": bool(marks.get("grade"))}
    return {
        "cell_type": "code" if cell["cell_type"] == "code" else "markdown",
        "source": _written(source),
        "id": _written(str(cell.get("id", ""))),
        "metadata": {"tags": tags, "nbgrader": marked},
    }


def main() -> None:
    """Read the notebook named first with as many bytes of memory as named next; print it as JSON."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]), int(sys.argv[2])))
    resource.setrlimit(resource.RLIMIT_CPU, (READ_SECONDS, READ_SECONDS))
    try:
        lab, cells = slim(Path(sys.argv[1]))
        print(json.dumps({"lab": lab, "cells": cells}))
    except ValueError as error:
        print(json.dumps({"problem": str(error)}))


if __name__ == "__main__":
    main()
