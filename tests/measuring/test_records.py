"""Records: their layout in git stays, none is half written, and those of the course are readable."""

from dataclasses import dataclass
from datetime import date

import pytest

from fsdl_deploy.measuring import records
from fsdl_deploy.measuring.machine import described
from fsdl_deploy.paths import ROOT

KEPT = [ROOT / "models" / f"{name}.json" for name in ("ladder", "quantization", "serving", "sizes", "drift")]
KEPT += [ROOT / "infra" / "docker" / f"{name}.json" for name in ("recorded", "tool_images")]
KEPT += [ROOT / "infra" / "monitoring" / "drift_libraries" / "recorded.json"]


@dataclass
class Step:
    name: str
    seconds: float


def test_a_record_has_date_and_machine_first_and_dataclasses_as_dictionaries(tmp_path):
    records.write(tmp_path / "run.json", rows=[Step("a", 0.5)], cards=20)
    record = records.read(tmp_path / "run.json")
    assert list(record) == ["date", "machine", "rows", "cards"]
    assert record["date"] == date.today().isoformat() and record["machine"] == described()
    assert record["rows"] == [{"name": "a", "seconds": 0.5}]


@pytest.mark.parametrize("kept", KEPT, ids=lambda path: path.stem)
def test_what_is_in_git_would_be_written_just_so(kept, tmp_path, monkeypatch):
    content = records.read(kept)
    stamp = {name: content.pop(name) for name in ("date", "machine")}
    monkeypatch.setattr(records, "stamp", lambda: stamp)
    records.write(tmp_path / "again.json", **content)
    assert (tmp_path / "again.json").read_bytes() == kept.read_bytes()


def test_a_record_that_cannot_be_written_leaves_the_old_one(tmp_path):
    records.write(tmp_path / "run.json", rows=[1])
    before = (tmp_path / "run.json").read_bytes()
    with pytest.raises(TypeError):
        records.write(tmp_path / "run.json", rows=[object()])
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [before]


def test_no_record_is_an_error_of_its_own(tmp_path):
    with pytest.raises(FileNotFoundError):
        records.read(tmp_path / "none.json")
