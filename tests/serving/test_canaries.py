"""What serving libraries take care of: a field counts if nonsense in it is refused; the record is whole."""

import json

import pytest

from fsdl_course import cli
from fsdl_course.serving import canaries
from fsdl_deploy.measuring import records
from fsdl_deploy.running import stations


def test_the_record_has_a_row_for_each_library():
    record = records.read(canaries.FILE)
    assert record.keys() == canaries.RUN.keys() | canaries.CHECKED.keys()
    for name, row in record.items():
        assert set(canaries.COLUMNS) < row.keys() and row["date"] >= "2026-11-29"
        assert (row["switch s"] is not None) == (name in canaries.RUN) == (row["how"] == "run")


@pytest.mark.parametrize("name", list(canaries.CHECKED))
def test_what_the_resources_can_say_is_what_is_recorded(name):
    assert stations.python("node") and stations.python("kubeflow_seldon")  # else it is left out
    row, recorded = canaries.of_kubernetes(name), records.read(canaries.FILE)[name]
    assert {column: recorded[column] for column in canaries.COLUMNS} == row


@pytest.mark.thorough
@pytest.mark.timeout(400)
def test_a_router_of_ours_keeps_ray_s_customers_apart():
    row, recorded = canaries.ray_serve(), records.read(canaries.FILE)["Ray Serve"]
    same = [column for column in canaries.COLUMNS if column != "switch s"]
    assert {column: row[column] for column in same} == {column: recorded[column] for column in same}
    assert 0 < row["switch s"] < 60


def test_a_field_that_no_class_knows_does_not_count(monkeypatch):
    answers = {"a": "must be int", "b": "V1Predictor has no such field", "c": ""}

    def check(resources):
        return [answers[next(iter(r["spec"]), "c")] if "spec" in r else "" for r in resources]

    monkeypatch.setattr(canaries, "CHECKED", {"X": ("kserve.yaml", check, ["spec.a", "spec.b", "spec.c"])})
    monkeypatch.setattr(canaries.yaml, "safe_load_all", lambda text: [{"spec": {}}])
    monkeypatch.setattr(canaries, "row", lambda *known: known)
    assert canaries.of_kubernetes("X")[:3] == (True, False, False)


def test_a_resource_that_is_refused_is_an_error(monkeypatch):
    checked = ("kserve.yaml", lambda resources: ["spec: must be there"] * len(resources), ["spec.a"])
    monkeypatch.setattr(canaries, "CHECKED", {"X": checked})
    with pytest.raises(ValueError, match=r"kserve\.yaml: spec: must be there"):
        canaries.of_kubernetes("X")


def test_each_library_can_be_tried_alone(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(
        canaries, "RUN", {"Triton": lambda: canaries.row(True, False, "ours", False, False, 1.5, "run")}
    )
    file = tmp_path / "libraries.json"
    file.write_text(json.dumps({"KServe": {"how": "checked"}}))
    assert cli.main(["bench", "canaries", "Triton", "--json", str(file)]) == 0
    assert "ours" in capsys.readouterr().out
    record = json.loads(file.read_text())
    assert record["KServe"] == {"how": "checked"} and record["Triton"]["switch s"] == 1.5
    assert cli.main(["bench", "canaries", "Tritn"]) == 1
    assert "there is no Tritn here" in capsys.readouterr().err
