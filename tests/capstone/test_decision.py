"""The decision record on its way into the table of open answers."""

from course_results import put
from made_results import rows

from fsdl_course.capstone import class_results, decision


def test_the_row_has_what_the_table_of_open_answers_asks_for(tmp_path):
    (tmp_path / "decision.md").write_bytes(b"# Mine\r\n\r\nOne queue, 32 places.\r\n")
    row = decision.open_answer(tmp_path)
    assert row["max"] == 10 and set(row["rubric"]) == {"0", "3", "6", "10"}
    assert row["answer"] == "# Mine\n\nOne queue, 32 places."


def test_no_record_and_no_text_are_no_answer(tmp_path):
    assert decision.open_answer(tmp_path)["answer"] == ""
    (tmp_path / "decision.md").write_text("\n \n", encoding="utf-8")
    assert decision.open_answer(tmp_path)["answer"] == ""


def test_bytes_that_are_no_text_and_a_book_are_bounded(tmp_path):
    (tmp_path / "decision.md").write_bytes(b"\xff\xfe" + b"a" * 1_000_000)
    assert 1000 < len(decision.open_answer(tmp_path)["answer"]) <= decision.LONGEST


def test_a_link_to_another_file_is_not_followed(tmp_path):
    (tmp_path / "secret").write_text("of the machine", encoding="utf-8")
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "decision.md").symlink_to(tmp_path / "secret")
    assert decision.open_answer(folder)["answer"] == ""


def test_points_of_a_person_stay_with_their_record_and_go_when_it_changes(tmp_path):
    folder, out = tmp_path / "ann", tmp_path / "out"
    folder.mkdir()
    out.mkdir()

    def into_table():
        return decision.into_table([class_results.result(folder, [])], out)

    (folder / "decision.md").write_text("One queue.", encoding="utf-8")
    assert into_table() == {"ann": None}
    table = out / "open.csv"
    given = table.read_text(encoding="utf-8-sig").replace("decision,10,,", "decision,10,6,")
    table.write_text(given, encoding="utf-8")
    assert into_table() == {"ann": 6.0}
    (folder / "decision.md").write_text("Another one.", encoding="utf-8")
    assert into_table() == {"ann": None}


def test_rows_of_other_labs_stay_in_the_table(tmp_path):
    folder, out = tmp_path / "ann", tmp_path / "grades"
    folder.mkdir()
    put(out, 4)
    (folder / "decision.md").write_text("One queue.", encoding="utf-8")
    decision.into_table([class_results.result(folder, [])], out)
    assert {row["lab"] for row in rows(out / "open.csv")} == {"lab00", "lab10"}
