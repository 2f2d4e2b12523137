"""``fsdl-course totals GRADES``: the class list, the rules and all results -> one table of the course.

Reads what ``grade`` left in GRADES, and there, or where options say, ``roster.csv``, ``policy.toml`` and
``overrides.csv``, which it never writes. The same files give the same bytes.
"""

import argparse
import sys
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from fsdl_course.grading import (
    by_hand,
    course_tables,
    exports,
    feedback_zip,
    grade,
    gradebook,
    overrides,
    policy,
    roster,
)
from fsdl_course.grading.counting import CountedLab, Ruling, course, most_of, percent
from fsdl_course.grading.policy import CoursePolicy
from fsdl_course.grading.roster import Enrolled, Roster
from fsdl_course.labs import convert
from fsdl_deploy import files


@dataclass(frozen=True)
class CourseRow:
    """One student, all labs; ``known`` is False for a hand-in of nobody on the class list."""

    student: Enrolled
    labs: list[CountedLab]
    percent: Fraction | None
    known: bool = True

    @property
    def waiting(self) -> int:
        return sum(lab.waiting for lab in self.labs if not lab.excused)


@dataclass(frozen=True)
class CourseTotals:
    """Everybody's totals, those of the class list first, and what a person should know."""

    rows: list[CourseRow]
    of_most: dict[str, Fraction]
    remarks: list[str]


def course_of(
    results: list[dict],
    rules: CoursePolicy,
    enrolled: Roster | None,
    rulings: dict[tuple[str, str], Ruling],
) -> CourseTotals:
    """The totals of results that have been through ``by_hand.agree``."""
    remarks: list[str] = []
    students = {student.key: student for student in enrolled.students} if enrolled else {}
    listed = set(students)
    handed_in: dict[str, dict[str, list[dict]]] = {key: {} for key in students}
    for result in results:
        student = (enrolled and enrolled.match(result["person"])) or Enrolled(result["person"])
        if enrolled and student.key not in listed and student.key not in students:
            remarks.append(
                f"{student.name} ({result['origin']}) is not on the class list: write the name into the "
                f"column {roster.ALSO!r} of whoever it is"
            )
        students.setdefault(student.key, student)
        handed_in.setdefault(student.key, {}).setdefault(result["lab"], []).append(result)
    of_most = most_of(results)
    decided, lost = _by_student(rulings, enrolled, students, of_most)
    remarks += lost
    others = sorted(set(students) - listed)
    rows = []
    for key in [*(key for key in students if key in listed), *others]:
        labs = course(handed_in.get(key, {}), of_most, rules, decided.get(key, {}))
        known = key in listed or enrolled is None
        rows.append(CourseRow(students[key], labs, percent(labs, rules), known))
    for lab in sorted(set(rules.labs) - set(convert.names()) - set(of_most)):
        remarks.append(f"the policy has rules for {lab}, which is no lab")
    return CourseTotals(rows, of_most, remarks)


def _by_student(rulings, enrolled, students, of_most) -> tuple[dict[str, dict[str, Ruling]], list[str]]:
    """Rulings by student and lab, and a remark on each that belongs to nobody."""
    decided: dict[str, dict[str, Ruling]] = {}
    remarks = []
    for (person, lab), ruling in rulings.items():
        student = enrolled.match(person) if enrolled else None
        key = student.key if student else person
        if key not in students:
            remarks.append(f"overrides: {person} is nobody of the class, or more than one")
        elif lab not in of_most:
            remarks.append(f"overrides: nobody has handed in {lab}, so {person}'s row waits for it")
        elif lab in decided.get(key, {}):
            raise ValueError(f"overrides: two rows are of {key} and {lab}: keep one")
        else:
            decided.setdefault(key, {})[lab] = ruling
    return decided, remarks


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("grades", type=Path, metavar="GRADES", help="the folder that `grade --out` wrote")
    parser.add_argument("--roster", type=Path, metavar="CSV", help="the class list (GRADES/roster.csv)")
    parser.add_argument("--policy", type=Path, metavar="TOML", help="the rules (GRADES/policy.toml)")
    parser.add_argument(
        "--overrides", type=Path, metavar="CSV", help="decisions against the rules (GRADES/overrides.csv)"
    )
    parser.add_argument(
        "--fill",
        type=Path,
        metavar="CSV",
        action="append",
        default=[],
        help="an export of Canvas's gradebook or Moodle's grading worksheet, to write the points into a copy",
    )
    parser.add_argument(
        "--start", action="store_true", help="write a policy.toml and an overrides.csv to begin with"
    )


def main(args: argparse.Namespace) -> int:
    """Write the tables; 1 if somebody's hand-in or a row of a table belongs to nobody."""
    out = args.grades
    rules_file = args.policy or out / "policy.toml"
    overrides_file = args.overrides or out / "overrides.csv"
    if args.start:
        return _start(rules_file, overrides_file)
    if not (out / "results").is_dir():
        raise ValueError(f"{out} holds no results: name the folder that `fsdl-course grade --out` wrote")
    remarks = []
    rules = CoursePolicy()
    if rules_file.exists() or args.policy:
        rules = policy.read(rules_file)
    else:
        remarks.append(f"there is no {rules_file}: nothing is late, and all labs weigh the same")
    enrolled = None
    if args.roster or (out / "roster.csv").exists():
        enrolled = roster.read(args.roster or out / "roster.csv")
    else:
        remarks.append(f"there is no {out / 'roster.csv'}: who handed in nothing has no row")
    if args.overrides and not args.overrides.exists():
        raise ValueError(f"{args.overrides} does not exist")
    results = grade.kept_results(out)
    by_hand.agree(results, out, gradebook.given(out))
    totals = course_of(results, rules, enrolled, overrides.read(overrides_file, rules))
    written = course_tables.write(totals, out, rules) + exports.write(totals, out, rules, args.fill, remarks)
    written.append(feedback_zip.write(totals, out, rules))
    if waiting := sum(row.waiting for row in totals.rows):
        remarks.append(f"{waiting} open answers wait for a person: the points of their labs are not final")
    for remark in remarks + totals.remarks:
        print(remark, file=sys.stderr)
    print(f"{len(totals.rows)} students, {len(totals.of_most)} labs: {', '.join(map(str, written))}")
    return 1 if totals.remarks else 0


def _start(rules_file: Path, overrides_file: Path) -> int:
    """Files to begin with; what is there already stays as it is."""
    texts = {rules_file: policy.template(convert.names()), overrides_file: overrides.template()}
    for path, text in texts.items():
        if path.exists():
            print(f"{path} is there already")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            files.write(path, text)
            print(f"{path}: to be edited")
    return 0
