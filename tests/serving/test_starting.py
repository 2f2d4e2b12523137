"""How hard a library is to start with."""

import json

import pytest

from fsdl_course.serving import starting
from fsdl_course.serving.compare import recorded
from fsdl_deploy import weights
from fsdl_deploy.running import stations

_, ROWS = recorded(weights.folder() / "serving.json")


@pytest.fixture
def station(tmp_path, monkeypatch):
    folder = tmp_path / "infra" / "serving" / "small"
    (folder / "models").mkdir(parents=True)
    (folder / "serve.py").write_text("# a comment\n\nserve()\n", encoding="utf-8")
    (folder / "models" / "config.pbtxt").write_text('name: "a"\nmax: 2\n', encoding="utf-8")
    (folder / "requirements.lock").write_text("made by a program\n" * 99, encoding="utf-8")
    size = {"environments": {"small": {"size": 3 * 2**20}}}
    (tmp_path / "infra" / "sizes.json").write_text(json.dumps(size), encoding="utf-8")
    monkeypatch.setattr(stations, "station", lambda name: type("Station", (), {"folder": folder}))
    return tmp_path


def test_what_was_written_counts_and_nothing_else(station):
    start = starting.start("small", "Triton", ROWS, station)
    assert (start.lines, start.files, start.disk) == (3, 2, 3)
    small = starting.start("small", "Triton", ROWS, station, without=("models",))
    assert (small.lines, small.files) == (1, 1)
    assert start.memory >= max(row.memory for row in ROWS if row.library == "Triton")


def test_a_library_without_a_record_is_named(station):
    with pytest.raises(LookupError, match="Other is not in the record"):
        starting.start("small", "Other", ROWS, station)
    with pytest.raises(KeyError):
        starting.start("unmeasured", "Triton", ROWS, station)


def test_both_libraries_keep_their_own_figures():
    triton, ray = starting.Start(1, 2, 3, 4, 5), starting.Start(6, 7, 8, 9, 10)
    both = starting.compared(triton, ray)
    assert both["triton_lines"] == 1 and both["ray_lines"] == 6 and both["ray_seconds"] == 9
    assert both["triton_disk"] == 3 and both["ray_files"] == 7


def test_the_table_has_a_row_for_each_library_under_its_own_columns():
    table = starting.table(
        {"Triton": starting.Start(1, 2, 3000.4, 4.25, 5), "Ray Serve": starting.Start(6, 7, 8, 9, 10)}
    )
    assert table.rows[0] == ["Triton", "1", "2", "3,000", "4.2", "5"]
    assert table.header[3:] == ["MiB on disk", "seconds to start", "MiB of memory"]
