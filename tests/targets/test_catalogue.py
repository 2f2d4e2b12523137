"""The catalogue of targets: what a target.toml may say."""

import pytest
from fake_target import TOML, repository

from fsdl_deploy.running import stations
from fsdl_deploy.targets import catalogue
from fsdl_deploy.targets.catalogue import TargetError


@pytest.mark.parametrize(
    ("toml", "problem"),
    [
        (TOML.replace('"whole"', '"half"'), "form is one of whole, masked, bare, one digit, not 'half'"),
        (TOML.replace('"any"', '"buckets"'), "buckets are widths in rising order"),
        ("buckets = [160]\n" + TOML, "buckets are widths in rising order"),
        ("buckets = [160, 96]\n" + TOML.replace('"any"', '"buckets"'), "buckets are widths in rising order"),
        (TOML.replace('licence = "MIT"', ""), "say in `licence`"),
        ("colour = 1\n" + TOML, "unknown colour"),
        (TOML.partition("[")[0], "variants.PRECISION"),
        (TOML.replace("fake.json", "../fake.json"), "without folders"),
        ("title", "not TOML"),
        (TOML + 'form = "half"\n', "variants.+ form is one of whole, masked, bare, one digit, not 'half'"),
    ],
)
def test_a_wrong_declaration_names_its_file(tmp_path, toml, problem):
    with pytest.raises(TargetError, match=problem) as raised:
        repository(tmp_path, toml=toml)
    assert str(raised.value).startswith("infra/edge/fake/target.toml")


def test_an_unknown_target_lists_those_there_are(tmp_path):
    repository(tmp_path)
    with pytest.raises(TargetError, match="there is no target 'coreml'; there are: fake"):
        catalogue.target("coreml", tmp_path)
    assert [*catalogue.targets(tmp_path)] == ["fake"]


def test_each_target_has_its_programs_its_stations_and_a_dated_state():
    known = stations.stations()
    for target in catalogue.targets().values():
        programs = {"build.py", *(["read.py"] if target.status == "runs" else [])}
        assert programs <= {path.name for path in target.folder.iterdir()}, target.name
        for name in (target.station, target.build_station, target.packages):
            assert not name or name in known, target.name
        assert target.state.startswith("2026-") and target.source.startswith("https://"), target.name


def test_what_is_not_kept_lies_in_the_build_folder(tmp_path):
    assert repository(tmp_path, toml="kept = false\n" + TOML).artifacts == tmp_path / "build/edge/fake"


def test_packages_of_a_station_that_is_not_built_are_asked_for_before_reading(tmp_path):
    station = tmp_path / "infra/node"
    station.mkdir(parents=True)
    (station / "station.toml").write_text('name = "node"\npurpose = "a test"\n')
    (station / "requirements.lock").write_text("")
    target = repository(tmp_path, toml='packages = "node"\n' + TOML)
    with pytest.raises(stations.NotBuilt, match="node"):
        target.python()
    assert target.python(building=True).is_file()
