"""Open answers without names, and points that follow an answer from hand-in to hand-in."""

import pytest
from made_results import result, rows

from fsdl_course.grading import by_hand, pseudonyms, report

CLASS = ("ann", "bob", "cem", "dia", "eva", "fay", "gus", "hal")


def written(out, results, anonymous=None, formgrader=None):
    agreement = by_hand.agree(results, out, formgrader, anonymous)
    report.write(results, out, agreement=agreement)
    return rows(out / "open.csv")


def of(student, **more):
    return result(student, answer=f"because of {student[0]}") | more


def give(out, answer, points):
    table = rows(out / "open.csv")
    lines = (out / "open.csv").read_text(encoding="utf-8").splitlines()
    for number, row in enumerate(table, 1):
        if row["answer"] == answer:
            start = f"{row['lab']},{row['student']},q2,3,"
            lines[number] = lines[number].replace(f"{start},", f"{start}{points},", 1)
    (out / "open.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_no_name_is_in_the_table_and_its_order_gives_none_away(tmp_path):
    table = written(tmp_path, [of(name) for name in CLASS], anonymous=True)
    assert not {row["student"] for row in table} & set(CLASS)
    assert [row["answer"] for row in table] != [f"because of {name[0]}" for name in CLASS]
    again = written(tmp_path, [of(name) for name in reversed(CLASS)])
    assert again == table  # it stays anonymous, with the same pseudonyms
    other = written(tmp_path / "other", [of(name) for name in CLASS], anonymous=True)
    assert {row["student"] for row in other}.isdisjoint(row["student"] for row in table)


def test_points_stay_with_their_student_when_names_come_and_go(tmp_path):
    results = [of(name) for name in CLASS]
    written(tmp_path, results, anonymous=True)
    give(tmp_path, "because of c", "2.5")
    table = written(tmp_path, results, anonymous=False)
    assert {row["student"]: row["points"] for row in table}["cem"] == "2.5" and len(table) == len(CLASS)
    give(tmp_path, "because of d", "1")
    table = written(tmp_path, results, anonymous=True)
    assert sorted(row["points"] for row in table)[-2:] == ["1", "2.5"] and len(table) == len(CLASS)
    scores = {row["student"]: row["q2"] for row in rows(tmp_path / "scores.csv")}
    assert (scores["cem"], scores["dia"], scores["ann"]) == ("2.5", "1", "")


def test_points_given_to_an_answer_follow_it_when_a_second_hand_in_takes_the_name(tmp_path):
    first = result("ann", answer="old") | {"person": "ann"}
    written(tmp_path, [first])
    give(tmp_path, "old", "2")  # not yet read when the second comes
    second = [result("ann", answer="new"), result("ann (2)", answer="old")]
    written(tmp_path, [each | {"person": "ann"} for each in second])
    table = {row["student"]: row for row in rows(tmp_path / "open.csv")}
    assert (table["ann (2)"]["points"], table["ann"]["points"]) == ("2", "")
    assert "2 for an earlier answer" in table["ann"]["earlier"]
    other = [result("bob", answer="old") | {"person": "bob"}]
    written(tmp_path, [each | {"person": "ann"} for each in second] + other)
    assert {row["student"]: row["points"] for row in rows(tmp_path / "open.csv")}["bob"] == ""


def test_columns_of_a_persons_own_are_kept(tmp_path):
    results = [of("ann"), of("bob")]
    written(tmp_path, results)
    lines = (tmp_path / "open.csv").read_text(encoding="utf-8").splitlines()
    (tmp_path / "open.csv").write_text(
        "\n".join([lines[0] + ",Grader", lines[1] + ",me", lines[2] + ",=you"]) + "\n", encoding="utf-8"
    )
    for _ in range(2):
        assert [row["Grader"] for row in written(tmp_path, results)] == ["me", "=you"]


def test_the_rubric_stands_beside_each_answer_with_the_most_points_first(tmp_path):
    graded = of("ann")
    graded["open"][0]["rubric"] = {"0": "nothing", "3": "both sides", "1": "one side"}
    (row,) = written(tmp_path, [graded])
    assert row["rubric"].splitlines() == ["3: both sides", "1: one side", "0: nothing"]


def test_a_damaged_key_is_refused_not_drawn_anew(tmp_path):
    (tmp_path / pseudonyms.FILE).write_text('{"key": "xyz", "anonymous": true}')
    with pytest.raises(ValueError, match="is damaged: restore it"):
        by_hand.agree([of("ann")], tmp_path)
