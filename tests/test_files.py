"""Files: whole or not at all, and the size of a folder."""

import pytest

from fsdl_deploy import files


@pytest.mark.parametrize("durable", [False, True])
def test_a_new_file_takes_the_place_of_the_old_one_and_nothing_stays_beside_it(tmp_path, durable):
    path = tmp_path / "a.json"
    files.write(path, "old", durable)
    files.write(path, "né", durable)
    assert path.read_bytes() == "né".encode() and list(tmp_path.iterdir()) == [path]


def test_an_error_leaves_the_old_file_or_none(tmp_path):
    for path in (tmp_path / "old.txt", tmp_path / "new.txt"):
        if path.stem == "old":
            path.write_text("old")
        with pytest.raises(KeyError), files.whole(path) as part:
            part.write_text("half")
            raise KeyError
    assert [path.name for path in tmp_path.iterdir()] == ["old.txt"]
    assert (tmp_path / "old.txt").read_text() == "old"


def test_a_reader_never_sees_the_part(tmp_path):
    path = tmp_path / "card.jpg"
    with files.whole(path) as part:
        part.write_bytes(b"half")
        assert not path.exists() and part.name.startswith(".") and part.suffix == ".part"
    assert path.read_bytes() == b"half"


def test_the_size_is_that_of_all_files_below(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "one").write_bytes(bytes(2**20))
    (tmp_path / "a" / "b" / "two").write_bytes(bytes(2**19))
    assert files.mebibytes(tmp_path) == 1.5


def test_text_is_replaced_where_it_stands_once():
    assert files.replaced_once("a: 1\nb: 2\n", "b: 2", "b: 3", "x.yaml") == "a: 1\nb: 3\n"
    for before in ("c", ": "):
        with pytest.raises(ValueError, match=r"x\.yaml holds .* times, not once"):
            files.replaced_once("a: 1\nb: 2\n", before, "", "x.yaml")


def test_where_no_file_can_be_written_a_sentence_names_the_place(tmp_path):
    for path, sentence in (
        (tmp_path / "no" / "x", f"no folder {tmp_path / 'no'}"),
        (tmp_path, "is a folder"),
    ):
        with pytest.raises(OSError, match="folder") as refused:
            files.write(path, "text")
        assert sentence in str(refused.value)
    assert not any(tmp_path.iterdir()) and files.place(tmp_path / "x") == tmp_path / "x"
