"""The class list: who is in the course, under which ID, and whose hand-in is whose.

Any table with a column of names: one's own, Canvas's export of the gradebook, Moodle's list of participants
or grading worksheet. It is only read. Knows nothing of points.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

from fsdl_course.grading import tables

NAMES = ("name", "full name", "student")
FIRST = ("first name", "firstname", "given name")
LAST = ("last name", "lastname", "surname", "family name")
IDS = ("id", "id number", "student id", "sis user id", "identifier")  # the first that is there is shown
MAILS = ("email", "e-mail", "email address", "sis login id", "login")
SECTIONS = ("section", "group", "groups")
ALSO = "also"  # other names, IDs or addresses under which somebody hands in, with semicolons between them
NOT_STUDENTS = ("points possible", "student, test", "test student")  # rows of Canvas's export


class RosterError(ValueError):
    """The class list cannot be used; the message says what to change."""


@dataclass(frozen=True)
class Enrolled:
    """One row of the class list; ``cells`` are all of its columns, by their names in lower case."""

    name: str
    id: str = ""
    mail: str = ""
    section: str = ""
    cells: dict[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What a file or a row is named by: the ID, else the address, else the name."""
        return self.id or self.mail or self.name


@dataclass
class Roster:
    """Everybody enrolled, in the order of the list."""

    students: list[Enrolled]
    by_sign: dict[str, list[Enrolled]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for student in self.students:
            for sign in _signs(student):
                self.by_sign.setdefault(sign, []).append(student)

    def match(self, person: str) -> Enrolled | None:
        """Who handed in as ``person``, a name from ``hand_in_names``; None for nobody, or more than one.

        Platforms put a number behind a name: Canvas the student's ID (``leeann 4711``), Moodle one of the
        assignment. It decides between two of a name; a name and an ID of two students are nobody's.
        """
        name, _, number = person.rpartition(" ")
        students = self._of(person)
        if not students and name and number.isdigit():
            by_name, by_number = self._of(name), self._of(number)
            both = [key for key in by_name if key in by_number]
            students = {key: by_name[key] for key in both} if by_name and by_number else by_name | by_number
        return next(iter(students.values())) if len(students) == 1 else None

    def _of(self, sign: str) -> dict[str, Enrolled]:
        return {student.key: student for student in self.by_sign.get(folded(sign), [])}


def read(path: Path) -> Roster:
    """The class list in ``path``; RosterError if it has no names, or an ID twice."""
    if not path.exists():
        raise RosterError(f"{path} does not exist: export the class list of your platform as CSV")
    sheet = tables.read(path)
    columns = set(sheet.columns())
    if not (columns & {*NAMES} or (columns & {*FIRST} and columns & {*LAST})):
        raise RosterError(
            f"{path} has no column of names: call it name, or first name and last name; it has "
            + ", ".join(sheet.columns())
        )
    students, lines = [], {}
    for line, cells in enumerate(sheet.records(), 2):
        name = first(cells, NAMES) or f"{first(cells, FIRST)} {first(cells, LAST)}".strip()
        if not name.strip() or name.strip().lower() in NOT_STUDENTS:
            continue
        student = Enrolled(name, first(cells, IDS), first(cells, MAILS), first(cells, SECTIONS), cells)
        if student.key in lines:
            raise RosterError(
                f"{path}, rows {lines[student.key]} and {line} both are {student.key!r}: give each an ID of "
                "their own"
            )
        lines[student.key] = line
        students.append(student)
    if not students:
        raise RosterError(f"{path} names nobody")
    return Roster(students)


def first(cells: dict[str, str], names: tuple[str, ...]) -> str:
    """The first of these columns that says something; what a spreadsheet needs before a name is not of it."""
    return next((text for name in names if (text := cells.get(name, "").strip().removeprefix("'"))), "")


def folded(text: str) -> str:
    """A name or an address in one form: letters' case, blanks, and how an accent is written do not count."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().replace("'", "").replace("_", " ").split())


def parted(name: str) -> tuple[str, str]:
    """A name -> (given names, family name): by the comma, else the last word is the family's."""
    if "," in name:
        family, _, given = name.partition(",")
    else:
        given, _, family = name.rpartition(" ")
    return given.strip(), family.strip()


def _signs(student: Enrolled) -> set[str]:
    """All by which a hand-in may be known as this student's."""
    given, family = first(student.cells, FIRST), first(student.cells, LAST)
    names = {student.name, f"{given} {family}", f"{family} {given}"}
    given, family = parted(student.name)
    names |= {f"{given} {family}"}
    names |= {re.sub(r"\W", "", name) for name in _turned(names)}  # Canvas: leeann
    texts = {*names, student.id, student.mail, student.mail.partition("@")[0]}
    texts |= {student.cells.get(column, "") for column in IDS}
    texts |= {text.removeprefix("Participant ") for text in texts}  # Moodle's worksheet
    texts |= set(student.cells.get(ALSO, "").split(";"))
    return {folded(text) for text in texts} - {""}


def _turned(names: set[str]) -> set[str]:
    """Names, and the same with the last word in front: Canvas sorts by it."""
    words = [name.split() for name in names if name.strip()]
    return names | {" ".join([*name[-1:], *name[:-1]]) for name in words}
