"""Cleaning: what commands made goes, all else stays."""

from fsdl_course.setup.cleaning import clean


def test_clean_removes_what_commands_made_and_nothing_else(tmp_path):
    mine = {"work/labs/.ipynb_checkpoints/a", "work/build/a"}
    kept = {*mine, ".git/build/a", "notebooks/a", ".venv/stations/tool/a"}
    removed = {"build/a", "tests/__pycache__/a", "notebooks/work/__pycache__/a"}
    for name in (*removed, *kept):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    clean(root=tmp_path)
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("a")}
    assert left == kept
    clean(environments=True, root=tmp_path)
    assert all((tmp_path / name).exists() for name in mine)
    assert not (tmp_path / ".venv").exists() and (tmp_path / ".git/build/a").exists()


def test_of_a_link_only_the_link_goes(tmp_path):
    for name in ("build", ".venv"):
        elsewhere = tmp_path / "elsewhere" / name
        elsewhere.mkdir(parents=True)
        (elsewhere / "theirs").touch()
        (tmp_path / name).symlink_to(elsewhere, target_is_directory=True)
    clean(environments=True, root=tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["elsewhere"]
    assert len(list(tmp_path.rglob("theirs"))) == 2
