"""``feedback.zip``: one page a student, named by ID, with all labs that count and what the rules did.

Everything that comes from a student is escaped. The same totals give the same bytes.
"""

import io
import zipfile
from pathlib import Path

from fsdl_course.grading import feedback
from fsdl_course.grading.counting import rounded
from fsdl_course.grading.pages import escaped, page
from fsdl_course.grading.policy import CoursePolicy
from fsdl_course.grading.submissions import slug
from fsdl_deploy import files


def write(totals, out: Path, rules: CoursePolicy) -> Path:
    """Write the zip for everybody on the class list who handed in something; return where it is."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for row in totals.rows:
            if row.known and any(lab.attempts for lab in row.labs):
                entry = zipfile.ZipInfo(f"{slug(row.student.key)}.html")  # of 1980: no date changes the bytes
                entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
                archive.writestr(entry, page_of(row, rules))
    path = out / "feedback.zip"
    files.write(path, content.getvalue())
    return path


def page_of(row, rules: CoursePolicy) -> str:
    """The feedback of one student: a table of labs, then each lab's questions."""
    lines = ["<tr><th>lab</th><th class=n>points</th><th class=n>late days</th><th>which counts</th></tr>"]
    details = []
    for lab in row.labs:
        points = "excused" if lab.excused else f"{rounded(lab.points, rules.decimals)} of {lab.most}"
        points += " (not in the total)" if lab.dropped else ""
        late = f"{lab.late}, {lab.free} of them free" if lab.late else ""
        lines.append(
            f"<tr><td>{escaped(lab.lab)}</td><td class=n>{points}</td><td class=n>{late}</td>"
            f"<td>{escaped(lab.why)}</td></tr>"
        )
        if lab.attempt:
            details.append(f"<h2>{escaped(lab.lab)}</h2>{feedback.body_of(lab.attempt.result)}")
    total = "" if row.percent is None else f"<p>{rounded(row.percent, rules.decimals)} percent so far</p>"
    heading = escaped(row.student.name)
    table = f"<table>{''.join(lines)}</table>"
    return page(heading, f"<h1>{heading}</h1>{total}{table}{''.join(details)}")
