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
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath

from fsdl_course.grading.notebook_file import LAB, MEBIBYTE, MOST_BYTES, printable, read

MOST_ENTRIES = 100_000
MOST_NOTEBOOKS = 20  # of one student
MOST_UNPACKED = 1024 * MEBIBYTE  # of one student, from zips
DEEPEST = 3  # zips in zips
MOODLE = re.compile(r"(?P<name>[^_].*)_(?P<id>\d+)_assignsubmission_.*")
CANVAS = re.compile(r"(?P<name>[^_]+)_(?:LATE_)?(?P<id>\d+)_\d+_.+")
SLUG = re.compile(r"-[0-9a-f]{8}$")
NOTEBOOK = re.compile(r"\.ipynb(\.txt|\.json)?$", re.IGNORECASE)  # browsers and mail programs add endings
COPY = re.compile(r"-checkpoint\.ipynb$", re.IGNORECASE)
BY_THEMSELVES = {"thumbs.db", "desktop.ini", "ehthumbs.db"}  # what systems put into folders


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
    order: tuple[bool, float] = (True, 0.0)  # of two notebooks, the smaller goes first


def collect(place: Path, lab: str | None = None) -> list[Submission]:
    """Every hand-in at ``place``, sorted by lab and student; SubmissionsError if there is none.

    ``lab`` says which lab all of them are; without it each says so itself, or its name does. Notebooks whose
    path names nobody, such as those of a student's ``work/labs``, are of one student, called as the place is.
    Of two notebooks of a student for a lab, the one called as the lab or else the newer has the student's
    name, the other a number behind it. Who handed in files, and no notebook, is a submission with a problem.
    """
    if not place.exists():
        raise SubmissionsError(f"{place} does not exist: name a folder of notebooks, or a zip")
    hand_ins = HandIns(lab)
    if place.is_dir():
        hand_ins.folder(place)
    elif NOTEBOOK.search(place.name):
        hand_ins.notebook(place.name, place)
    elif zipfile.is_zipfile(place):
        hand_ins.zip(place)
    else:
        raise SubmissionsError(f"{place} is neither a folder, a zip, nor a notebook")
    hand_ins.without_notebook()
    if not hand_ins.read:
        raise SubmissionsError(f"{place} holds no notebook (*.ipynb)")
    submissions = hand_ins.read
    for submission in submissions:
        if LAB.fullmatch(submission.student) and not NOTEBOOK.search(place.name):
            submission.student = printable(place.resolve().name.removesuffix(".zip"))[:100]
    seen: dict[tuple, int] = {}
    submissions.sort(key=lambda each: (each.lab, each.student, *each.order, each.origin))
    for submission in submissions:
        key = (submission.lab, submission.student.casefold())
        seen[key] = seen.get(key, 0) + 1
        if seen[key] > 1:
            submission.student += f" ({seen[key]})"
    return sorted(submissions, key=lambda submission: (submission.lab, submission.student))


@dataclass
class HandIns:
    """What is read so far, and within which bounds: nobody's files take more than a share of the reading."""

    lab: str | None
    read: list[Submission] = field(default_factory=list)
    others: dict[str, str] = field(default_factory=dict)  # student -> the first file that is no notebook
    notebooks: dict[str, int] = field(default_factory=dict)
    unpacked: dict[str, int] = field(default_factory=dict)

    def folder(self, folder: Path) -> None:
        """Everything below a folder; links are not followed."""
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            regular = stat.S_ISREG(path.lstat().st_mode)
            if _passed_over(name) or (path.is_dir() and not path.is_symlink()):
                continue
            if NOTEBOOK.search(name) and not regular:
                self.problem(name, "it is a link or a special file, not a notebook")
            elif NOTEBOOK.search(name):
                self.notebook(name, path)
            elif name.lower().endswith(".zip") and regular:
                self.zip(path, name[: -len(".zip")])
            else:
                self.others.setdefault(who(name)[0], name)

    def zip(self, path: Path, within: str = "", depth: int = 1) -> None:
        """Notebooks in a zip, and in zips in it; each is read through a temporary file of our own name."""
        try:
            with (
                zipfile.ZipFile(path) as archive,
                tempfile.TemporaryDirectory(prefix="fsdl-grade-") as folder,
            ):
                entries = archive.infolist()
                if len(entries) > MOST_ENTRIES:
                    self.problem(within or path.name, f"the zip holds {len(entries)} files")
                    return
                for entry in sorted(entries, key=lambda entry: entry.filename):
                    name = "/".join(part for part in (within, _name_in(entry)) if part)
                    if not (entry.is_dir() or _passed_over(name)):
                        self._entry(archive, entry, name, Path(folder), depth)
        except (zipfile.BadZipFile, OSError, EOFError, ValueError) as error:
            self.problem(within or path.name, f"the zip cannot be read: {error}")

    def _entry(self, archive, entry: zipfile.ZipInfo, name: str, folder: Path, depth: int) -> None:
        inner = name.lower().endswith(".zip")
        student = who(name)[0]
        if not inner and not NOTEBOOK.search(name):
            self.others.setdefault(student, name)
        elif stat.S_ISLNK(entry.external_attr >> 16):
            self.problem(name, "it is a link, not a notebook")
        elif inner and depth >= DEEPEST:
            self.problem(name, f"it is a zip in {depth} zips")
        elif self.unpacked.get(student, 0) > MOST_UNPACKED:
            self.problem(name, f"more than {MOST_UNPACKED >> 20} MiB were unpacked before it")
        elif self.notebooks.get(student, 0) < MOST_NOTEBOOKS:
            copy = folder / ("inner.zip" if inner else "notebook.ipynb")
            problem = _copied(archive, entry, copy)
            self.unpacked[student] = self.unpacked.get(student, 0) + copy.stat().st_size
            if problem:
                self.problem(name, problem)
            elif inner:
                self.zip(copy, name[: -len(".zip")], depth + 1)
            else:
                self.notebook(name, copy, datetime(*entry.date_time).timestamp() if entry.date_time[1] else 0)
            copy.unlink(missing_ok=True)

    def notebook(self, name: str, path: Path, moment: float | None = None) -> None:
        """Read one notebook, last changed at ``moment``; the first that is too many says so."""
        student, from_name = who(name)
        self.notebooks[student] = self.notebooks.get(student, 0) + 1
        if self.notebooks[student] > MOST_NOTEBOOKS:
            return
        if self.notebooks[student] == MOST_NOTEBOOKS:
            self.problem(name, f"it is the {MOST_NOTEBOOKS}th notebook: no more are read")
            return
        try:
            from_inside, cells = read(path)
        except (ValueError, OSError) as error:
            self.problem(name, str(error))
            return
        lab = self.lab or from_inside or from_name or "?"
        moment = path.stat().st_mtime if moment is None else moment
        called_as_lab = PurePosixPath(name).name.lower() == f"{lab}.ipynb"
        order = (not called_as_lab, -moment)
        self.read.append(Submission(student, lab, printable(name), cells, order=order))

    def problem(self, name: str, problem: str) -> None:
        student, from_name = who(name)
        self.read.append(Submission(student, self.lab or from_name or "?", printable(name), problem=problem))

    def without_notebook(self) -> None:
        """A row for whoever handed in something, and no notebook."""
        students = {submission.student for submission in self.read}
        for student, name in self.others.items():
            if student not in students:
                self.problem(name, "no notebook was handed in with it: *.ipynb, or a zip with one")


def _name_in(entry: zipfile.ZipInfo) -> str:
    """A name in a zip: some programs write UTF-8 without the mark that says so."""
    if entry.flag_bits & 0x800:
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return entry.filename


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
    """Checkpoints, and what systems put into folders and zips by themselves."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    hidden = any((part.startswith(".") and part != "..") or part == "__MACOSX" for part in parts)
    return hidden or bool(COPY.search(name)) or parts[-1].lower() in BY_THEMSELVES


def who(name: str) -> tuple[str, str]:
    """A path in a hand-in -> (student, lab or ""): ``ann/lab02.ipynb``, ``ann.ipynb``, Moodle's, Canvas's.

    The student is the first part of the path that is no lab; characters that mean something in a path or a
    page stay, so whoever writes them somewhere has to escape them.
    """
    parts = [part for part in PurePosixPath(name.replace("\\", "/")).parts if part not in ("/", "..", ".")]
    ending = NOTEBOOK.search(parts[-1]) or re.search(r"\.[A-Za-z0-9]{1,5}$", parts[-1])
    parts[-1] = parts[-1][: ending.start()] if ending and ending.start() else parts[-1]
    lab = next((match[0].lower() for part in reversed(parts) if (match := LAB.search(part))), "")
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
