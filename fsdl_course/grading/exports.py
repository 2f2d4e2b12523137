"""Points for a learning platform: ``canvas.csv`` and ``moodle.csv``, and copies of a platform's own export.

Canvas takes a table whose header starts with Student, ID and ends its columns on students with Section
(lib/gradebook_importer.rb), and finds a student by ID, SIS ID or login before the name. Moodle's import of
grades lets its user say which column is which; its grading worksheet is found by Identifier
(mod/assign/feedback/offline). A copy of an export keeps all its columns and rows: only the cells of labs are
filled in, and of nobody whom the class list does not know.
"""

import re
from fractions import Fraction
from pathlib import Path

from fsdl_course.grading import roster, tables
from fsdl_course.grading.counting import rounded
from fsdl_course.grading.policy import CoursePolicy
from fsdl_course.grading.tables import cell
from fsdl_deploy import files

CANVAS = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
MOODLE = ["First name", "Last name", "ID number", "Email address"]
POINTS_POSSIBLE = "    Points Possible"  # as Canvas writes it
TOTAL = "Course total"
NUMBER = re.compile(r"[+-]?\d[\d.,]*%?|-")  # or Moodle's dash for no date; neither is a formula


class ExportError(ValueError):
    """A platform's export cannot be filled; the message says what it lacks."""


def write(totals, out: Path, rules: CoursePolicy, exported: list[Path], remarks: list[str]) -> list[Path]:
    """Both tables from the class list, and a filled copy of each file in ``exported``; where they are."""
    labs = sorted(totals.of_most)
    known = [row for row in totals.rows if row.known]
    files.write(out / "canvas.csv", _canvas(known, labs, totals.of_most, rules))
    files.write(out / "moodle.csv", _moodle(known, labs, rules))
    paths = [out / "canvas.csv", out / "moodle.csv"]
    for path in exported:
        copy = out / f"filled-{path.name}"
        if copy.resolve() == path.resolve():
            raise ExportError(f"{path} is a filled copy: name the export itself")
        files.write(copy, filled(path, known, totals.of_most, rules, remarks))
        paths.append(copy)
    return paths


def _grade(row, lab: str, rules: CoursePolicy, excused: str) -> str:
    counted = next(each for each in row.labs if each.lab == lab)
    return excused if counted.excused else rounded(counted.points, rules.decimals)


def _canvas(rows: list, labs: list[str], of_most: dict, rules: CoursePolicy) -> str:
    header = [*CANVAS, *(cell(rules.of(lab).canvas or lab) for lab in labs)]
    lines: list[list[str]] = [[POINTS_POSSIBLE, "", "", "", "", *(rounded(of_most[lab], 0) for lab in labs)]]
    for row in rows:
        cells = row.student.cells
        # Its own export has all of these; from another list, an ID is one of the institution's.
        of_canvas = "sis login id" in cells
        identity = [
            cells.get("id", "") if of_canvas else "",
            cells.get("sis user id", "") if of_canvas else row.student.id,
            cells.get("sis login id", "") if of_canvas else row.student.mail,
        ]
        lines.append(
            [
                *map(cell, (row.student.name, *identity, row.student.section)),
                *(_grade(row, lab, rules, "EX") for lab in labs),
            ]
        )
    return tables.text_of(header, lines)


def _moodle(rows: list, labs: list[str], rules: CoursePolicy) -> str:
    header = [*MOODLE, *(cell(rules.of(lab).moodle or lab) for lab in labs), TOTAL]
    lines = []
    for row in rows:
        cells = row.student.cells
        given, family = roster.first(cells, roster.FIRST), roster.first(cells, roster.LAST)
        if not (given or family):
            given, family = roster.parted(row.student.name)
        total = "" if row.percent is None else rounded(row.percent, rules.decimals)
        person = map(cell, (given, family, row.student.id, row.student.mail))
        lines.append([*person, *(_grade(row, lab, rules, "") for lab in labs), total])
    return tables.text_of(header, lines)


def filled(
    path: Path, rows: list, of_most: dict[str, Fraction], rules: CoursePolicy, remarks: list[str]
) -> str:
    """A platform's export with points in the cells of labs, as CSV; ExportError if there are none."""
    sheet, labs = tables.read(path), sorted(of_most)
    names = sheet.columns()
    worksheet = "identifier" in names and "grade" in names
    places = _worksheet(path, names, labs, rules) if worksheet else _gradebook(sheet, labs, rules)
    if not places:
        raise ExportError(
            f"{path} has no column for {', '.join(labs)}: write its name into policy.toml (canvas, moodle)"
        )
    by_key = {row.student.key: row for row in rows}
    everyone = roster.Roster([row.student for row in rows])
    lines = []
    for cells, line in zip(sheet.records(), sheet.rows, strict=True):
        row = _row_of(cells, everyone, by_key)
        line = [text if NUMBER.fullmatch(text.strip()) else cell(text) for text in line]
        for lab, column in places.items():
            if row is not None:
                line[column] = _grade(row, lab, rules, "" if worksheet else "EX")
        name = roster.first(cells, roster.NAMES) or roster.first(cells, roster.FIRST)
        if row is None and name and name.lower() not in roster.NOT_STUDENTS:
            remarks.append(f"{path}: {name} is not on the class list and gets no points")
        lines.append(line)
    remarks += _other_scales(sheet, places, of_most)
    return tables.text_of(sheet.header, lines)


def _other_scales(sheet: tables.Sheet, places: dict[str, int], of_most: dict[str, Fraction]) -> list[str]:
    """A remark on each column that the platform holds for another number of points than its lab has."""
    most = {lab: {cells.get("maximum grade", "") for cells in sheet.records()} for lab in places}
    for line in sheet.rows:
        if line[0].strip().lower() == POINTS_POSSIBLE.strip().lower():
            most = {lab: {line[column]} for lab, column in places.items()}
    return [
        f"{sheet.path}: {lab} has {rounded(of_most[lab], 0)} points, its column there {text.strip()}: "
        "set the assignment's points on the platform before you import"
        for lab, texts in most.items()
        for text in sorted(texts)
        if _points(text) not in (None, of_most[lab])
    ]


def _points(text: str) -> Fraction | None:
    try:
        return Fraction(text.strip().replace(",", ".", 1))
    except ValueError:  # empty, or "(read only)"
        return None


def _worksheet(path: Path, names: list[str], labs: list[str], rules: CoursePolicy) -> dict[str, int]:
    """Moodle's worksheet is of one lab, which its name says."""
    of_file = [lab for lab in labs if lab in path.name.lower() or _is_it(path.stem, rules.of(lab).moodle)]
    if len(of_file) != 1 and len(labs) != 1:
        raise ExportError(f"{path}: a grading worksheet is of one lab: call the file lab02.csv, for example")
    return {(of_file or labs)[0]: names.index("grade")}


def _gradebook(sheet: tables.Sheet, labs: list[str], rules: CoursePolicy) -> dict[str, int]:
    """The column of each lab: the one that the policy names, else the only one in which its name stands."""
    places = {}
    for lab in labs:
        titles = (rules.of(lab).canvas, rules.of(lab).moodle)
        columns = [n for n, name in enumerate(sheet.header) if any(_is_it(name, title) for title in titles)]
        if not columns:
            number = rf"(?<![a-z0-9])lab[ _-]*0*{int(lab[3:])}(?![0-9])"
            columns = [n for n, name in enumerate(sheet.header) if re.search(number, name.lower())]
        if len(columns) > 1:
            names = ", ".join(sheet.header[n] for n in columns)
            raise ExportError(f"{sheet.path}: {lab} may be {names}: say which in policy.toml")
        if columns:
            places[lab] = columns[0]
    return places


def _is_it(name: str, title: str) -> bool:
    """Whether a column is what the policy calls it: its name, its name without Canvas's number, or that."""
    bare, _, number = name.strip().rpartition(" (")
    return bool(title) and title.strip() in (name.strip(), bare, number.removesuffix(")"))


def _row_of(cells: dict[str, str], everyone: roster.Roster, by_key: dict):
    """Whose row of an export this is: by ID first, then address, then name."""
    given, family = roster.first(cells, roster.FIRST), roster.first(cells, roster.LAST)
    texts = [cells.get(column, "") for column in (*roster.IDS, *roster.MAILS)]
    for text in [*texts, roster.first(cells, roster.NAMES), f"{given} {family}".strip()]:
        student = everyone.match(text.strip().removeprefix("'")) if text.strip() else None
        if student:
            return by_key[student.key]
    return None
