"""Finds the notebooks that students handed in: a folder or a zip of a learning platform, in its usual forms.

Nothing is executed or unpacked by name here, links are not followed. A notebook that cannot be read is a
submission with a ``problem``, never an exception. Knows nothing of points, of what is in a notebook
(``notebook_file``), nor of what names and dates say (``hand_in_names``, ``hand_in_dates``).
"""

import hashlib
import re
import stat
import tempfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from fsdl_course.grading import hand_in_dates
from fsdl_course.grading.hand_in_dates import HandInDate
from fsdl_course.grading.hand_in_names import (
    NOTEBOOK,
    OF_NBGRADER,
    by_platform,
    marked_late,
    passed_over,
    who,
)
from fsdl_course.grading.notebook_file import LAB, MEBIBYTE, MOST_BYTES, printable, read

MOST_ENTRIES = 100_000
MOST_NOTEBOOKS = 20  # of one student
MOST_UNPACKED = 1024 * MEBIBYTE  # of one student, from zips
DEEPEST = 3  # zips in zips
SLUG = re.compile(r"-[0-9a-f]{8}$")


class SubmissionsError(ValueError):
    """There is nothing to grade at this place; the message says what to do."""


@dataclass
class Submission:
    """One student's notebook of one lab; ``problem`` says why it could not be read, if so.

    ``cells`` are dicts with ``cell_type``, ``source``, ``id`` and ``metadata`` (tags and nbgrader's marks).
    ``person`` handed in all that has this name as ``student``, with a number behind it from the second on.
    """

    student: str
    lab: str
    origin: str
    cells: list[dict] = field(default_factory=list)
    problem: str = ""
    order: tuple[bool, float] = (True, 0.0)  # of two notebooks, the smaller goes first
    date: HandInDate = field(default_factory=HandInDate)
    person: str = ""

    def facts(self) -> dict:
        """What a result says of its hand-in, and no score depends on."""
        return {
            "person": self.person or self.student,
            "handed_in": self.date.text,
            "dated": self.date.source,
            "marked_late": marked_late(self.origin),
        }


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
        submission.person = submission.student
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
            if passed_over(name) or (path.is_dir() and not path.is_symlink()):
                continue
            if NOTEBOOK.search(name) and not regular:
                self.problem(name, "it is a link or a special file, not a notebook")
            elif NOTEBOOK.search(name):
                self.notebook(name, path)
            elif name.lower().endswith(".zip") and regular:
                self.zip(path, name[: -len(".zip")], date=hand_in_dates.of_file(path, name))
            elif path.name != OF_NBGRADER:
                self.others.setdefault(who(name)[0], name)

    def zip(self, path: Path, within: str = "", depth: int = 1, date: HandInDate | None = None) -> None:
        """Notebooks in a zip, and in zips in it; each is read through a temporary file of our own name.

        With a ``date``, the zip is a student's own, and what it says of dates counts for nothing.
        """
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
                    if not (entry.is_dir() or passed_over(name)):
                        by_its_maker = date is None or (depth == 1 and by_platform(name))
                        when = hand_in_dates.of_entry(entry) if by_its_maker else date
                        self._entry(archive, entry, name, Path(folder), depth, when)
        except (zipfile.BadZipFile, OSError, EOFError, ValueError) as error:
            self.problem(within or path.name, f"the zip cannot be read: {error}")

    def _entry(self, archive, entry, name: str, folder: Path, depth: int, date: HandInDate) -> None:
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
                self.zip(copy, name[: -len(".zip")], depth + 1, date)
            else:
                self.notebook(name, copy, date)
            copy.unlink(missing_ok=True)

    def notebook(self, name: str, path: Path, date: HandInDate | None = None) -> None:
        """Read one notebook; the first that is too many says so."""
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
        date = date or hand_in_dates.of_file(path, name)
        called_as_lab = PurePosixPath(name).name.lower() == f"{lab}.ipynb"
        order = (not called_as_lab, -date.seconds())
        self.read.append(Submission(student, lab, printable(name), cells, order=order, date=date))

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


def slug(text: str) -> str:
    """A name for a file: readable, never a path, different for different texts."""
    plain = re.sub(r"[^A-Za-z0-9.-]+", "_", text).strip("._")[:60]
    if plain == text and not SLUG.search(text):  # a text that ends as a slug would be taken for one
        return plain
    return f"{plain}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
