"""The decision record on its way into the table of open answers."""

from fsdl_course.capstone import decision


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
