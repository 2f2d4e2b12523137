"""What is handed in is judged before it is started: one sentence for each thing that is wrong."""

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
