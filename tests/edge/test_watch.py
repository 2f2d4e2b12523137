"""What became of four names: each row is whole, and one that is not is refused by its name."""

import pytest

from fsdl_deploy.edge import watch

TEXT = watch.FILE.read_text(encoding="utf-8")


def test_the_lectures_four_names_are_there():
    slides = [row.name for row in watch.names()]
    assert slides == ["MLIR", "OctoML", "TinyML", "Modular"]
    assert watch.counts() == {"of": 4, "ended": sum("ended" in row for row in TEXT.split("status = ")[1:])}
    assert len(watch.table().rows) == 4
    dated = [row[-1] for row in watch.table().rows]
    assert dated.count("no date on it") == TEXT.count('date = "unknown"') and "2025-07-29" in dated


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("source = ", "origin = ", "MLIR has no source"),
        ('status = "grew"', 'status = "fine"', "MLIR: status is one of"),
        ('released = "2026-10"', 'released = "lately"', "MLIR: released is a month"),
        ("date = 2025-07-29", 'date = "last year"', "TinyML: date is a date"),
        ("https://docs.octoai", "http://docs.octoai", "OctoML: source is an address"),
        ('here = "tools/iree"', 'here = "tools/iree"\nthere = 1', "MLIR: unknown there"),
    ],
)
def test_a_row_that_is_not_whole_is_refused(tmp_path, old, new, message):
    assert old in TEXT
    file = tmp_path / "watch.toml"
    file.write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(watch.WatchError, match=message):
        watch.names(file)
