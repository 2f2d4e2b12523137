"""The tables of the course: ``totals.csv``, a row a student; ``counted.csv``, a row for each of their labs.

Every cell that comes from outside is no formula. Knows nothing of how points come about.
"""

from pathlib import Path

from fsdl_course.grading.counting import CountedLab, rounded
from fsdl_course.grading.policy import CoursePolicy
from fsdl_course.grading.tables import cell, text_of
from fsdl_deploy import files


def write(totals, out: Path, rules: CoursePolicy) -> list[Path]:
    """Write both tables for ``totals.CourseTotals``; return where they are."""
    labs = sorted(totals.of_most)
    header = ["id", "name", "email", "section", *labs, "percent", "late days used", "waiting", "remark"]
    rows = []
    for row in totals.rows:
        by_lab = {lab.lab: lab for lab in row.labs}
        rows.append(
            [
                *_person(row.student),
                *(_points(by_lab[name], rules) for name in labs),
                "" if row.percent is None else rounded(row.percent, rules.decimals),
                *(sum(lab.free for lab in row.labs), row.waiting, _remark(row)),
            ]
        )
    files.write(out / "totals.csv", text_of(header, rows))
    header = ["id", "name", "lab", "points", "max", "before the policy", "late days", "of them free"]
    header += ["hand-ins", "which counts", "file", "handed in", "known from", "waiting", "in the total"]
    rows = [
        [*_person(row.student)[:2], *_of_lab(lab, rules)]
        for row in totals.rows
        for lab in sorted(row.labs, key=lambda lab: lab.lab)
    ]
    files.write(out / "counted.csv", text_of(header, rows))
    return [out / "totals.csv", out / "counted.csv"]


def _person(student) -> list[str]:
    return [cell(text) for text in (student.id, student.name, student.mail, student.section)]


def _points(lab: CountedLab, rules: CoursePolicy) -> str:
    return "excused" if lab.excused else rounded(lab.points, rules.decimals)


def _remark(row) -> str:
    remarks = [] if row.known else ["not on the class list"]
    missing = [lab.lab for lab in row.labs if not lab.attempts and not lab.excused]
    remarks += [f"not handed in: {' '.join(missing)}"] if missing else []
    dropped = [lab.lab for lab in row.labs if lab.dropped]
    remarks += [f"dropped: {' '.join(dropped)}"] if dropped else []
    unreadable = [lab.lab for lab in row.labs if lab.attempt and lab.attempt.result["problem"]]
    remarks += [f"could not be read: {' '.join(unreadable)}"] if unreadable else []
    return "; ".join(remarks)


def _of_lab(lab: CountedLab, rules: CoursePolicy) -> list[object]:
    attempt = lab.attempt
    moment = attempt.moment.astimezone(rules.time_zone).isoformat(" ") if attempt and attempt.moment else ""
    why, source = lab.why, attempt.result.get("dated", "") if attempt else ""
    if attempt and attempt.result.get("marked_late") and not lab.late:
        why += "; Canvas marked it late"
    if attempt and not attempt.moment and rules.of(lab.lab).deadline:
        why += "; its date is not known, so it is not late"
    counts = "excused" if lab.excused else "dropped" if lab.dropped else "yes"
    return [
        *(lab.lab, _points(lab, rules), rounded(lab.most, 0), rounded(lab.earned, rules.decimals)),
        *(lab.late, lab.free, lab.attempts, cell(why), cell(attempt.result["origin"]) if attempt else ""),
        *(moment, source, lab.waiting, counts),
    ]
