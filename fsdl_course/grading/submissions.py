"""Finds the notebooks that students handed in: a folder or a zip of a learning platform, in its usual forms.

Nothing is executed or unpacked by name here, links are not followed. A notebook that cannot be read is a
submission with a ``problem``, never an exception. Knows nothing of points, nor of what is in a notebook
(``notebook_file``).
"""

import hashlib
import re
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from fsdl_course.grading.notebook_file import LAB, MEBIBYTE, MOST_BYTES, printable, read

MOST_ENTRIES = 100_000
MOODLE = re.compile(r"(?P<name>[^_].*)_(?P<id>\d+)_assignsubmission_file_?")
CANVAS = re.compile(r"(?P<name>[^_]+)_(?:LATE_)?(?P<id>\d+)_\d+_.+")
SLUG = re.compile(r"-[0-9a-f]{8}$")


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

    ``lab`` says which lab all of them are; without it each says so itself, or its name does. Notebooks whose
    path names nobody, such as those of a student's ``work/labs``, are of one student, called as the place is.
    A second notebook of the same student and lab is kept apart with a number.
    """
    if not place.exists():
        raise SubmissionsError(f"{place} does not exist: name a folder of notebooks, or a zip")
    if place.is_dir():
        submissions = list(_in_folder(place, lab))
    elif zipfile.is_zipfile(place):
        submissions = list(_in_zip(place, lab))
    elif place.suffix == ".ipynb":
        submissions = [_submission(place.name, place, lab)]
    else:
        raise SubmissionsError(f"{place} is neither a folder, a zip, nor a notebook")
    if not submissions:
        raise SubmissionsError(f"{place} holds no notebook (*.ipynb)")
    for submission in submissions:
        if LAB.fullmatch(submission.student) and place.suffix != ".ipynb":
            submission.student = printable(place.resolve().name.removesuffix(".zip"))[:100]
    seen: dict[tuple, int] = {}
    submissions.sort(key=lambda submission: (submission.lab, submission.student, submission.origin))
    for submission in submissions:
        key = (submission.lab, submission.student.casefold())
        seen[key] = seen.get(key, 0) + 1
        if seen[key] > 1:
            submission.student += f" ({seen[key]})"
    return sorted(submissions, key=lambda submission: (submission.lab, submission.student))


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
            for entry in sorted(entries, key=lambda entry: entry.filename):
                name = "/".join(part for part in (within, entry.filename) if part)
                inner = entry.filename.endswith(".zip") and not within
                if entry.is_dir() or _passed_over(name) or not (entry.filename.endswith(".ipynb") or inner):
                    continue
                if stat.S_ISLNK(entry.external_attr >> 16):
                    yield _unread(name, lab, "it is a link, not a notebook")
                    continue
                copy = Path(folder) / ("inner.zip" if inner else "notebook.ipynb")
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
    return Submission(student, lab or from_name or "?", printable(name), problem=problem)


def _submission(name: str, path: Path, lab: str | None) -> Submission:
    student, from_name = who(name)
    try:
        named, cells = read(path)
    except (ValueError, OSError) as error:
        return _unread(name, lab, str(error))
    return Submission(student, lab or named or from_name or "?", printable(name), cells)


def who(name: str) -> tuple[str, str]:
    """A path in a hand-in -> (student, lab or ""): ``ann/lab02.ipynb``, ``ann.ipynb``, Moodle's, Canvas's.

    The student is the first part of the path that is no lab; characters that mean something in a path or a
    page stay, so whoever writes them somewhere has to escape them.
    """
    parts = [part for part in PurePosixPath(name.replace("\\", "/")).parts if part not in ("/", "..", ".")]
    parts[-1] = parts[-1].removesuffix(".ipynb")
    lab = next((match[0] for part in reversed(parts) if (match := LAB.search(part))), "")
    named = [part for part in parts if not LAB.fullmatch(part)] or [parts[-1]]
    student = named[0]
    platform = MOODLE.fullmatch(student) or (CANVAS.fullmatch(student) if len(named) == 1 else None)
    if platform:
        student = f"{platform['name']} {platform['id']}"
    else:
        pieces = LAB.split(student)
        student = "".join(piece.strip("-_ ") for piece in pieces) or student if pieces[1:] else student
    return printable(student)[:100].strip() or "?", lab


def slug(text: str) -> str:
    """A name for a file: readable, never a path, different for different texts."""
    plain = re.sub(r"[^A-Za-z0-9.-]+", "_", text).strip("._")[:60]
    if plain == text and not SLUG.search(text):  # a text that ends as a slug would be taken for one
        return plain
    return f"{plain}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
