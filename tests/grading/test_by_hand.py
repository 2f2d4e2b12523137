"""What a person gave, in two places that both may change: it is not lost, nor counts for another answer."""

import csv
import json

import pytest
from made_results import result, rows

from fsdl_course.grading import by_hand, report
from fsdl_course.grading.by_hand import GivenByHand

ANN = ("lab00", "ann", "q2")


def table(out):
    return {row["student"]: row for row in rows(out / "open.csv")}


def edited(out, change, encoding="utf-8", delimiter=","):
    """Save the table as another program would: each row as ``change`` leaves it."""
    old = rows(out / "open.csv")
    with (out / "open.csv").open("w", newline="", encoding=encoding) as file:
        writer = csv.DictWriter(file, old[0].keys(), delimiter=delimiter)
        writer.writeheader()
        for row in old:
            change(row)
            writer.writerow(row)


def give(points, comment="", student="ann"):
    def change(row):
        if row["student"] == student:
            row.update(points=points, comment=comment)

    return change


@pytest.mark.parametrize(
    ("encoding", "delimiter", "points"),
    [
        ("utf-8", ",", "2.5"),
        ("utf-8-sig", ";", "2,5"),  # Excel where the comma is for decimals
        ("utf-16", "\t", "2.5"),  # Excel's Unicode text
        ("cp1252", ";", "2,5"),  # Excel's plain CSV
        ("utf-8", ",", "2,5"),
    ],
)
def test_the_table_is_read_as_any_spreadsheet_saves_it(tmp_path, encoding, delimiter, points):
    class_ = [result("Zoë Müller"), result("bob")]
    report.write(class_, tmp_path)
    edited(tmp_path, give(points, "schön, weil klar", "Zoë Müller"), encoding, delimiter)
    assert report.write(class_, tmp_path) == []
    row = table(tmp_path)["Zoë Müller"]
    assert (row["points"], row["comment"]) == ("2.5", "schön, weil klar")
    assert {row["student"]: row["points"] for row in rows(tmp_path / "scores.csv")}["Zoë Müller"] == "5.5"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lab,student,question,max,comment\nlab00,ann,q2,3,\n", "lacks the column points"),
        ("lab,student,question,points\nlab00,ann,q2,1\nlab00,ann,q2,2\n", "lines 2 and 3 are of the same"),
        ("", "lacks the column"),
    ],
)
def test_a_table_that_would_lose_points_is_refused_and_left_as_it_is(tmp_path, text, message):
    report.write([result()], tmp_path)
    (tmp_path / "open.csv").write_text(text)
    with pytest.raises(ValueError, match=message):
        report.write([result()], tmp_path)
    assert (tmp_path / "open.csv").read_text() == text


def test_rows_of_others_are_kept_and_said(tmp_path):
    report.write([result(), result("bob")], tmp_path)
    edited(tmp_path, give("2", "well argued"))
    (remark,) = report.write([result("late")], tmp_path)
    assert "2 rows belong to no hand-in here and are kept: ann, bob" in remark
    assert table(tmp_path)["ann"]["points"] == "2" and table(tmp_path)["late"]["points"] == ""
    assert report.write([result(), result("bob"), result("late")], tmp_path) == []
    assert (table(tmp_path)["ann"]["points"], table(tmp_path)["ann"]["comment"]) == ("2", "well argued")


def test_what_a_person_changed_is_kept_beside_the_new_table(tmp_path):
    report.write([result()], tmp_path)
    edited(tmp_path, give("1,5"), delimiter=";")
    before = (tmp_path / "open.csv").read_bytes()
    report.write([result()], tmp_path)
    assert (tmp_path / "open-before.csv").read_bytes() == before != (tmp_path / "open.csv").read_bytes()


def test_points_belong_to_an_answer(tmp_path):
    report.write([result(answer="first")], tmp_path)
    edited(tmp_path, give("3", "great"))
    report.write([result(answer="first")], tmp_path)
    for formgrader in (GivenByHand(3.0, "great"), GivenByHand()):  # and as the gradebook is written then
        report.write([result(answer="completely different")], tmp_path, {ANN: formgrader})
        row = table(tmp_path)["ann"]
        assert (row["points"], row["comment"], row["earlier"]) == ("", "", "3 for an earlier answer: great")
    assert rows(tmp_path / "scores.csv")[0]["waiting"] == "1"
    edited(tmp_path, give("1"))
    report.write([result(answer="completely different")], tmp_path)
    assert table(tmp_path)["ann"]["points"] == "1"


def test_an_answer_that_comes_later_waits_for_a_person(tmp_path):
    report.write([result(answer="")], tmp_path)
    assert table(tmp_path)["ann"]["points"] == "" and rows(tmp_path / "scores.csv")[0]["waiting"] == "0"
    report.write([result(answer="now")], tmp_path)
    assert table(tmp_path)["ann"]["points"] == "" and rows(tmp_path / "scores.csv")[0]["waiting"] == "1"


def test_a_very_long_answer_breaks_no_later_run(tmp_path):
    for _ in range(3):
        report.write([result(answer="x" * 180_000), result("bob")], tmp_path)
        edited(tmp_path, give("2", "y" * 150_000, "bob"))
    assert max(len(row["answer"]) for row in table(tmp_path).values()) < 32_767
    assert table(tmp_path)["bob"]["points"] == "2"


def test_a_change_on_either_side_is_taken_over_every_time(tmp_path):
    formgrader = GivenByHand()
    for side, points in [("f", 1.0), ("f", 3.0), ("t", 2.0), ("f", 0.5), ("t", 0.0), ("t", 3.0)]:
        if side == "f":
            formgrader = GivenByHand(points, f"it is worth {points}")
        else:
            edited(tmp_path, give(str(points), f"worth {points}"))
        report.write([result()], tmp_path, {ANN: formgrader})
        row = table(tmp_path)["ann"]
        assert float(row["points"]) == points and row["comment"].endswith(str(points))
        formgrader = GivenByHand(points, row["comment"])  # as the gradebook is written after each run
    edited(tmp_path, give(""))
    report.write([result()], tmp_path, {ANN: formgrader})
    assert table(tmp_path)["ann"]["points"] == ""  # taken back


def test_two_different_changes_stop_the_run_and_change_nothing(tmp_path):
    report.write([result()], tmp_path)
    edited(tmp_path, give("1"))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(ValueError, match=r"line 2: lab00/ann/q2 has 1.0 here and 2.0 in the formgrader"):
        report.write([result()], tmp_path, {ANN: GivenByHand(2.0)})
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    report.write([result()], tmp_path, {ANN: GivenByHand(1.0)})


def test_a_run_that_ends_before_the_table_is_written_changes_nothing_of_what_is_agreed(tmp_path):
    report.write([result(answer="first")], tmp_path)
    edited(tmp_path, give("3", "great"))
    report.write([result(answer="first")], tmp_path)
    # The gradebook is written between the two, and then the run is killed.
    by_hand.agree([result(answer="second")], tmp_path, {ANN: GivenByHand(3.0, "great")})
    report.write([result(answer="second")], tmp_path, {ANN: GivenByHand()})
    assert table(tmp_path)["ann"]["points"] == "" and "3 for an earlier" in table(tmp_path)["ann"]["earlier"]


def test_overrides_and_extra_credit_count_and_are_said(tmp_path):
    formgrader = {("lab00", "ann", "q1"): GivenByHand(1.0, "copied", 0.5), ANN: GivenByHand(3.0, "", 1.0)}
    report.write([result()], tmp_path, formgrader)
    row = rows(tmp_path / "scores.csv")[0]
    assert (row["q1"], row["q2"], row["points"]) == ("1.5", "4", "5.5")
    for ending in ("html", "md"):
        feedback = (tmp_path / "feedback" / "lab00" / f"ann.{ending}").read_text()
        assert "1.5 of 3 (its cases gave 3)" in feedback and "copied" in feedback
        assert "3 of 3 and 1 extra" in feedback


def test_no_text_of_a_student_is_a_formula_in_a_table_that_is_cut_at_semicolons(tmp_path):
    report.write([result("bob;=cmd()", answer="\t=1+1")], tmp_path)
    cells = [cell for name in ("open.csv", "scores.csv") for cell in (tmp_path / name).read_text().split(";")]
    assert len(cells) > 2 and not any(cell.strip('"').startswith("=") for cell in cells)
    edited(tmp_path, lambda row: row.update(points="2"))
    report.write([result("bob;=cmd()", answer="\t=1+1")], tmp_path)
    assert rows(tmp_path / "open.csv")[0]["points"] == "2"


def test_a_damaged_state_is_one_sentence(tmp_path):
    report.write([result()], tmp_path)
    (tmp_path / "by_hand.json").write_text(json.dumps([{"of": 1}]))
    with pytest.raises(ValueError, match="is damaged: remove it"):
        report.write([result()], tmp_path)
