"""Resources of KServe, Seldon and Kubeflow: what the check finds, and a pipeline that is compiled and run."""

import base64
import json
import subprocess
from typing import ClassVar

import pytest
import yaml

from fsdl_deploy.cards import cards_and_digits
from fsdl_deploy.picture import encode
from fsdl_deploy.running import stations
from fsdl_deploy.scaling.manifest_fields import Fields, kind_of, problems

KINDS = {
    "Pod": Fields(
        {"name": "str", "count": "int", "labels": "dict(str, str)", "parts": "list[Part]"}, {"name"}
    ),
    "Part": Fields({"on": "bool", "share": "float", "any": "object"}),
}
SLIPS = [
    ("inference-service", "scaleTarget: 60", "scaleTarget: '60'", "spec.predictor.scaleTarget: must be int"),
    ("inference-service", "modelFormat:", "format:", "format: V1beta1ModelSpec has no such field"),
    (
        "inference-service",
        "kind: InferenceService",
        "kind: InferenceServer",
        "no client knows a InferenceServer",
    ),
    ("seldon-binary", "      graph:", "      graf:", "graph: PredictorSpec must have it"),
    ("seldon-binary", "modelUri:", "modelUrl:", "modelUrl: PredictiveUnit has no such field"),
    ("seldon-wrapper", "traffic: 90", "traffic: most", "traffic: must be int"),
    ("seldon-wrapper", "- name: reader\n", "- title: reader\n", "title: V1Container has no such field"),
    ("train-job", "numNodes: 2", "numNodes: two", "numNodes"),
    ("train-job", "command:", "comand:", "comand: TrainJob has no such field"),
]


@pytest.fixture(scope="module")
def station():
    return stations.station("kubeflow_seldon")


def check(station, *texts):
    command = [station.python, station.folder / "check.py"]
    process = subprocess.run(command, input=json.dumps(texts), capture_output=True, text=True, timeout=120)
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


def resource(station, name):
    return (station.folder / "resources" / f"{name}.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"name": "a", "labels": {"x": "y"}, "parts": [{"on": True, "share": 1, "any": [1]}]}, []),
        ({}, ["x.name: Pod must have it"]),
        ({"name": 7}, ["x.name: must be str"]),
        ({"name": "a", "count": True}, ["x.count: must be int"]),
        ({"name": "a", "parts": {}}, ["x.parts: must be list[Part]"]),
        ({"name": "a", "parts": [{}, {"off": 1}]}, ["x.parts.1.off: Part has no such field"]),
        ({"name": "a", "labels": {"b": 1}}, ["x.labels.b: must be str"]),
        ([], ["x: must be Pod"]),
    ],
)
def test_each_field_is_compared_with_its_type(value, says):
    assert list(problems(value, "Pod", "x", KINDS.__getitem__)) == says


def test_what_a_class_must_have_is_learnt_by_leaving_it_out():
    class Model:
        attribute_map: ClassVar = {"first_name": "firstName", "last_name": "lastName", "age": "age"}
        openapi_types: ClassVar = {"first_name": "str", "last_name": "str", "age": "int"}

        def __init__(self, first_name=None, last_name=None, age=None):
            for name, value in (("last_name", last_name), ("first_name", first_name)):
                if value is None:
                    raise ValueError(f"Invalid value for `{name}`, must not be `None`")

    kind = kind_of(Model)
    assert kind.required == {"firstName", "lastName"}
    assert kind.fields == {"firstName": "str", "lastName": "str", "age": "int"}


def test_all_resources_are_right_and_each_slip_is_found(station):
    names = [file.stem for file in sorted((station.folder / "resources").iterdir())]
    assert check(station, *(resource(station, name) for name in names)) == [[]] * 4
    copies = []
    for name, before, after, _ in SLIPS:
        assert before in resource(station, name)
        copies.append(resource(station, name).replace(before, after, 1))
    for (name, _, after, says), faults in zip(SLIPS, check(station, *copies), strict=True):
        assert any(says in fault for fault in faults), (name, after, faults)


def test_what_is_no_resource_is_a_problem_and_no_error(station):
    faults = check(station, "a: [", "- 1", "{}", "")
    assert [len(each) for each in faults] == [1] * 4


def test_a_pipeline_is_compiled_and_a_slip_in_it_is_not(station, tmp_path):
    program = station.folder / "pipeline.py"
    subprocess.run([station.python, program, "compile", tmp_path / "p.yaml"], check=True, timeout=120)
    tasks = yaml.safe_load((tmp_path / "p.yaml").read_text())["root"]["dag"]["tasks"]
    assert {name: task.get("dependentTasks") for name, task in tasks.items()} == {
        "unpack": None,
        "read": ["unpack"],
        "decide": ["read"],
    }
    wrong = tmp_path / "wrong.py"
    wrong.write_text(program.read_text().replace("least: float = 0.85", "least: str = 'most'"))
    process = subprocess.run(
        [station.python, wrong, "compile", tmp_path / "w.yaml"], capture_output=True, text=True, timeout=120
    )
    assert process.returncode and "InconsistentType" in process.stderr and not (tmp_path / "w.yaml").exists()


@pytest.mark.thorough
def test_the_pipeline_releases_the_better_version_only(station, tmp_path):
    deck = [
        {"truth": card.truth, "digits": places, "picture": base64.b64encode(encode(card.image)).decode()}
        for card, places in cards_and_digits(200, "typical", seed=12)
    ]
    (tmp_path / "cards.json").write_text(json.dumps(deck))
    command = [
        station.python,
        station.folder / "pipeline.py",
        "run",
        tmp_path / "cards.json",
        tmp_path / "out.json",
    ]
    process = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert process.returncode == 0, process.stderr[-2000:]
    answers = json.loads((tmp_path / "out.json").read_text())
    assert answers["v2"].endswith("release") and answers["v1"].endswith("hold back")
    assert all(" of 200 right" in answer for answer in answers.values())
