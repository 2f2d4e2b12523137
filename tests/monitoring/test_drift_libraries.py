"""Drift libraries: river and frouros in their stations, and what the record says of all five."""

import importlib.util
import json
import subprocess

import numpy as np
import pytest

from fsdl_course.setup.stations import ensure
from fsdl_deploy.measuring import records
from fsdl_deploy.paths import ROOT
from fsdl_deploy.running import stations

pytestmark = pytest.mark.station
FOLDER = ROOT / "infra" / "monitoring" / "drift_libraries"
RECORD = {row["library"]: row for row in records.read(FOLDER / "recorded.json")["libraries"]}


def question():
    rng = np.random.default_rng(0)
    sets = {"same": rng.normal(0, 1, (100, 2)), "other": rng.normal([0, 3], 1, (100, 2))}
    rows = {name: values.tolist() for name, values in sets.items()}
    return {"names": ["first", "second"], "reference": rng.normal(0, 1, (300, 2)).tolist(), "sets": rows}


@pytest.mark.parametrize("library", ["river", "frouros"])
def test_a_station_finds_what_changed_and_calls_nobody(library):
    stations.python(library)
    command = [ensure(library), FOLDER / "ask.py", library]
    text = subprocess.run(command, input=json.dumps(question()), capture_output=True, text=True, check=True)
    answer = json.loads(text.stdout)
    assert answer["answers"]["same"]["changed"] == [] and answer["hosts"] == []
    assert {name.partition(",")[0] for name in answer["answers"]["other"]["changed"]} == {"second"}


def test_the_record_is_of_the_versions_that_its_program_pins():
    spec = importlib.util.spec_from_file_location("record", FOLDER / "record.py")
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    assert {name: f"{name}=={row['version']}" for name, row in RECORD.items()} == {
        name: pins[0] for name, pins in program.PINS.items()
    }
    for name in ("river", "frouros"):
        assert program.PINS[name][0] in stations.station(name).lock.read_text()


def test_what_the_notebook_says_in_words():
    """All find inverted cards and a change of dark ones; quiet means quiet; usual sets were ten."""
    for row in RECORD.values():
        answers = row["answers"]
        assert answers["inverted"]["changed"] and answers["dark"]["changed"]
        assert sum(name.startswith("same") for name in answers) == 10
        assert row["hosts when told to be quiet"] == []
    assert [name for name, row in RECORD.items() if row["hosts"]] == ["nannyml"]
    evidently = [a for name, a in RECORD["evidently"]["answers"].items() if name.startswith("same")]
    assert sum(bool(answer["changed"]) for answer in evidently) >= 5
    assert not RECORD["evidently"]["answers"]["dark"]["drift"]
