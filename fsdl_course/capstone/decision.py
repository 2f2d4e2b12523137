"""The decision record of lab 10: one page that a person grades, by a rubric, in the table of open answers."""

from pathlib import Path

from fsdl_course.capstone.new import handed_out
from fsdl_course.grading import by_hand, grade, gradebook

TITLE = "the decision record"
LONGEST = 6000
"""Characters that are looked at: more than a page is not read."""
RUBRIC = {
    0: "nothing beyond the template, or a text that any service could have",
    3: "what was built, and how it follows from two demands of this brief (rate, p99, budget, link, privacy, "
    "night)",
    6: "that, with two other ways and what each would have cost or broken, and a figure of one's own run",
    10: "that, with figures behind memory and the cards that may wait, and what remains: what breaks it, how "
    "whoever is called at night notices, and what they do first",
}  # fmt: skip


def open_answer(folder: Path, template: Path | None = None) -> dict:
    """The record as the table of open answers has it: id, title, max, rubric, answer ("" if untouched).

    ``template`` is the record that was handed out: its lines are no answer.
    """
    path = folder / "decision.md"
    text = ""
    if path.is_file() and not path.is_symlink():
        with path.open("rb") as file:
            text = file.read(4 * LONGEST).decode("utf-8", "replace")[:LONGEST].replace("\r\n", "\n")
    given = template or handed_out() / "decision.md"
    blank = set(given.read_text(encoding="utf-8").splitlines())
    own = [line for line in text.splitlines() if line.strip() and line not in blank]
    return {
        "id": "decision",
        "title": TITLE,
        "max": max(RUBRIC),
        "rubric": {str(points): what for points, what in RUBRIC.items()},
        "answer": text.strip() if own else "",
    }


def into_table(results: list[dict], out: Path) -> dict[str, float | None]:
    """Write ``out/open.csv``, which a person fills in, with this lab's ``results`` (``class_results``).

    Other labs' rows stay. -> the points that stand in it, by student; what was given before stays, as long as
    the record is the same. ValueError names impossible points.
    """
    here = {(result["lab"], result["student"]) for result in results}
    others = [row for row in grade.kept_results(out) if (row["lab"], row["student"]) not in here]
    by_hand.agree(results + others, out, gradebook.given(out)).write()
    return {row["student"]: row["open"][0]["points"] for row in results}
