"""Scores, feedback pages, the page of the class: nothing of a student's is markup, nothing is lost."""

import pytest
from made_results import NASTY, result, rows

from fsdl_course.grading import report
from fsdl_course.grading.by_hand import GivenByHand


def test_scores_of_everyone_in_one_table(tmp_path):
    report.write([result(), result("bob", points=0), result("cem", problem="it is no notebook")], tmp_path)
    ann, bob, cem = rows(tmp_path / "scores.csv")
    assert (ann["points"], ann["max"], ann["q1"], ann["q2"], ann["waiting"]) == ("3", "6", "3", "", "1")
    assert (bob["points"], cem["points"], cem["problem"]) == ("2", "0", "it is no notebook")


def test_nothing_that_a_student_wrote_is_markup_or_a_formula(tmp_path):
    report.write([result("=1+1<script>", points=0, answer="=cmd()" + NASTY)], tmp_path)
    pages = [path.read_text() for path in tmp_path.rglob("*.html")]
    assert len(pages) == 2 and all("<script>" not in page for page in pages)
    (text,) = [path.read_text() for path in tmp_path.rglob("*.md")]
    line = next(line for line in text.splitlines() if "alert" in line)
    assert line.count("``") == 2 and line.strip("- ").startswith("`` ") and line.endswith(" ``")
    for name in ("scores.csv", "open.csv"):
        for row in rows(tmp_path / name):
            assert not any(value.startswith(("=", "+", "-", "@")) for value in row.values())


def test_points_that_a_person_gives_count_from_the_next_run_on(tmp_path):
    report.write([result(), result("bob", answer="")], tmp_path)
    answers = rows(tmp_path / "open.csv")
    assert [(row["student"], row["points"]) for row in answers] == [("ann", ""), ("bob", "")]
    text = (tmp_path / "open.csv").read_text().replace("q2,3,,,", "q2,3,2.5,well argued,", 1)
    (tmp_path / "open.csv").write_text(text)
    report.write([result(), result("bob", answer="")], tmp_path)
    assert [(row["points"], row["waiting"]) for row in rows(tmp_path / "scores.csv")] == [
        ("5.5", "0"),
        ("3", "0"),
    ]
    page = (tmp_path / "feedback" / "lab00" / "ann.html").read_text()
    assert "2.5 of 3" in page and "well argued" in page
    assert rows(tmp_path / "open.csv")[0]["comment"] == "well argued"


def test_points_of_the_formgrader_count_where_the_table_has_none(tmp_path):
    report.write([result()], tmp_path, {("lab00", "ann", "q2"): GivenByHand(2.0)})
    assert rows(tmp_path / "scores.csv")[0]["points"] == "5"


@pytest.mark.parametrize("points", ["4", "-1", "two", "nan"])
def test_impossible_points_stop_the_run_and_change_nothing(tmp_path, points):
    report.write([result()], tmp_path)
    text = (tmp_path / "open.csv").read_text().replace("q2,3,,,", f"q2,3,{points},,")
    (tmp_path / "open.csv").write_text(text)
    with pytest.raises(ValueError, match=r"open.csv, line 2: .* is no number of points from 0 to 3"):
        report.write([result()], tmp_path)
    assert (tmp_path / "open.csv").read_text() == text


def test_the_page_of_the_class_has_a_plot_and_says_who_waits(tmp_path):
    report.write([result(), result("bob", points=0)], tmp_path)
    page = (tmp_path / "index.html").read_text()
    assert "data:image/svg+xml" in page and 'alt="how many submissions' in page
    assert "open answers that wait for a person: 1" in page and page.count("<tr>") == 3 + 4


def test_the_same_results_give_the_same_files(tmp_path):
    for folder in ("a", "b"):
        report.write([result()], tmp_path / folder)
    for path in (tmp_path / "a").rglob("*.*"):
        assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes()
