"""What graded results look like: scores as CSV, feedback for each student, a page for the class.

Everything that comes from a student is escaped: in pages, in Markdown, in cells of a spreadsheet, in names of
files. Knows nothing of how points are earned.
"""

from pathlib import Path

from fsdl_course.grading import by_hand, class_page, feedback, item_analysis, points
from fsdl_course.grading.submissions import slug


def write(
    results: list[dict], out: Path, formgrader: dict | None = None, agreement: by_hand.Agreement | None = None
) -> list[str]:
    """Write all under ``out``: scores.csv, open.csv, parts.csv, index.html, feedback/LAB/STUDENT.html, .md.

    ``formgrader`` is what a person gave there (``gradebook.given``), unless there is an ``agreement`` already
    -> what a person should know.
    """
    out.mkdir(parents=True, exist_ok=True)
    agreement = agreement or by_hand.agree(results, out, formgrader)
    agreement.write()
    points.scores(results, out / "scores.csv")
    items = item_analysis.item_rows(results)
    item_analysis.write(items, out)
    for result in results:
        folder = out / "feedback" / slug(result["lab"])
        folder.mkdir(parents=True, exist_ok=True)
        place = folder / slug(result["student"])
        place.with_name(place.name + ".html").write_text(feedback.page_of(result), encoding="utf-8")
        place.with_name(place.name + ".md").write_text(feedback.markdown_of(result), encoding="utf-8")
    (out / "index.html").write_text(class_page.summary(results, items), encoding="utf-8")
    return agreement.remarks
