"""What graded results look like: scores as CSV, feedback for each student, a page for the class.

Everything that comes from a student is escaped: in pages, in Markdown, in cells of a spreadsheet, in names of
files. Knows nothing of how points are earned.
"""

from pathlib import Path

from fsdl_course.grading import class_page, feedback, points
from fsdl_course.grading.submissions import slug


def write(results: list[dict], out: Path, given: dict | None = None) -> None:
    """Write everything under ``out``: scores.csv, open.csv, feedback/LAB/STUDENT.html and .md, index.html.

    ``given`` are points of open answers by (lab, student, question), for those without points in open.csv.
    """
    out.mkdir(parents=True, exist_ok=True)
    points.by_hand(results, out / "open.csv", given or {})
    points.scores(results, out / "scores.csv")
    for result in results:
        folder = out / "feedback" / slug(result["lab"])
        folder.mkdir(parents=True, exist_ok=True)
        place = folder / slug(result["student"])
        place.with_name(place.name + ".html").write_text(feedback.page_of(result), encoding="utf-8")
        place.with_name(place.name + ".md").write_text(feedback.markdown_of(result), encoding="utf-8")
    (out / "index.html").write_text(class_page.summary(results), encoding="utf-8")
