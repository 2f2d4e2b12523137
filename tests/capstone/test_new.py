"""A folder to hand in: made whole, never over somebody's work."""

import tomllib

import pytest

from fsdl_course.capstone import decision, hand_in, new


def test_what_is_handed_out_can_be_handed_in(tmp_path):
    new.write(tmp_path / "mine")
    assert hand_in.read(tmp_path / "mine").start == ("python3", "service.py")
    assert (tmp_path / "mine" / "decision.md").exists()


@pytest.mark.parametrize("example", new.BELOW)
def test_every_example_starts_a_file_that_it_brings(tmp_path, example):
    new.write(tmp_path / "mine", example)
    words = tomllib.loads((tmp_path / "mine" / "capstone.toml").read_text(encoding="utf-8"))["service"][
        "start"
    ]
    assert (tmp_path / "mine" / words[-1]).is_file()
    assert (tmp_path / "mine" / "decision.md").is_file()


def test_a_broken_example_stands_on_the_one_that_works(tmp_path):
    new.write(tmp_path / "mine", "grows")
    words = tomllib.loads((tmp_path / "mine" / "capstone.toml").read_text(encoding="utf-8"))["service"][
        "start"
    ]
    assert words == ["python3", "broken.py"] and (tmp_path / "mine" / "service.py").is_file()


def test_work_that_is_there_is_left_alone(tmp_path):
    (tmp_path / "service.py").write_text("mine", encoding="utf-8")
    with pytest.raises(FileExistsError, match="name a folder that does not exist"):
        new.write(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["service.py"]


def test_an_unknown_example_is_refused_with_the_known_ones(tmp_path):
    with pytest.raises(ValueError, match=r"no example 'rust'.*python, node"):
        new.write(tmp_path / "mine", "rust")
    assert not (tmp_path / "mine").exists()


def test_an_untouched_record_is_no_answer_and_a_sentence_of_ones_own_is(tmp_path):
    new.write(tmp_path / "mine")
    record = tmp_path / "mine" / "decision.md"
    assert decision.open_answer(tmp_path / "mine")["answer"] == ""
    text = record.read_text(encoding="utf-8")
    record.write_text(
        text.replace("## The decision", "## The decision\n\nA journal in SQLite."), encoding="utf-8"
    )
    assert "A journal in SQLite." in decision.open_answer(tmp_path / "mine")["answer"]
