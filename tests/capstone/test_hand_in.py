"""What is handed in is judged before it is started: one sentence for each thing that is wrong."""

import os
from pathlib import Path

import pytest

from fsdl_course.capstone import hand_in

GOOD = '[service]\nstart = ["python3", "s.py"]\n[needs]\nruntime = "python"\nmemory_mb = 256\n'


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('["python3", "s.py"]', '"python3 s.py"', "list of words"),
        ('"python"', '"cobol"', "runtime"),
        ("256", "9999", "memory_mb"),
        ("256", "true", "memory_mb"),
        ("[needs]", "[need]", "tables"),
        ("[service]", "[service", "no TOML"),
        ("256", "[" * 5000, "no TOML"),
    ],
)
def test_a_wrong_field_is_named(tmp_path, old, new, says):
    (tmp_path / "capstone.toml").write_text(GOOD.replace(old, new))
    with pytest.raises(hand_in.HandInError, match=says):
        hand_in.read(tmp_path)


def test_links_out_of_the_folder_are_not_followed(tmp_path):
    folder, out, secret = tmp_path / "in", tmp_path / "out", tmp_path / "secret"
    folder.mkdir()
    out.mkdir()
    secret.mkdir()
    (secret / "key").write_text("x")
    (folder / "capstone.toml").write_text(GOOD)
    (folder / "key").symlink_to(secret / "key")
    (folder / "all").symlink_to(secret)
    hand_in.copy(hand_in.read(folder), out)
    assert sorted(path.name for path in out.rglob("*")) == ["capstone.toml"]


def test_a_pipe_or_a_link_in_place_of_the_settings_is_none(tmp_path):
    """Opening a pipe waits for a writer: the class would wait with it."""
    os.mkfifo(tmp_path / "capstone.toml")
    with pytest.raises(hand_in.HandInError, match=r"no capstone\.toml"):
        hand_in.read(tmp_path)


def test_a_folder_too_deep_to_copy_is_a_sentence(tmp_path, monkeypatch):
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    out.mkdir()
    (folder / "capstone.toml").write_text(GOOD)
    monkeypatch.chdir(folder)
    for _ in range(30):  # each step is short enough, the whole is longer than a path may be
        os.mkdir("d" * 200)
        os.chdir("d" * 200)
    Path("deep.txt").write_text("x")
    handed = hand_in.read(folder)
    with pytest.raises(hand_in.HandInError, match="cannot be copied"):
        hand_in.copy(handed, out)


def test_more_files_than_allowed_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(hand_in, "MOST_FILES", 3)
    out = tmp_path / "out"
    folder = tmp_path / "in"
    folder.mkdir()
    out.mkdir()
    (folder / "capstone.toml").write_text(GOOD)
    for number in range(3):
        (folder / f"{number}").write_text("")
    with pytest.raises(hand_in.HandInError, match="more than"):
        hand_in.copy(hand_in.read(folder), out)
