"""A session with MLflow's registry in its station: aliases, lineage, digests, and what it does not guard."""

from pathlib import Path

import pytest

from fsdl_course.setup.stations import ensure
from fsdl_deploy.delivery.model_registry import Registry, RegistryError
from fsdl_deploy.paths import ROOT
from fsdl_deploy.running import stations

pytestmark = [pytest.mark.station, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    stations.python("mlflow")
    ensure("mlflow")
    with Registry(tmp_path_factory.mktemp("registry")) as session:
        for version in ("v1", "v2"):
            file = str(ROOT / "models" / f"{version}.onnx")
            session.register(file=file, metrics={"typical": 0.9}, recipe={"from": "test"})
        yield session


def test_an_alias_leads_to_the_file_and_moves(registry):
    registry.point(alias="champion", version="1")
    first = registry.lineage(alias="champion")
    registry.point(alias="champion", version="2")
    second = registry.lineage(alias="champion")
    assert (first["file"], second["file"]) == ("v1.onnx", "v2.onnx")
    assert second["metrics"] == {"typical": 0.9} and second["recipe"] == {"from": "test"}
    sums = (ROOT / "models" / "SHA256SUMS").read_text()
    assert f"{second['sha256']}  v2.onnx" in sums.replace(" *", "  ")
    assert Path(registry.fetch(alias="champion")).read_bytes() == (ROOT / "models" / "v2.onnx").read_bytes()


def test_what_does_not_exist_is_the_registrys_own_sentence(registry):
    with pytest.raises(RegistryError, match="alias nobody not found"):
        registry.behind(alias="nobody")
    with pytest.raises(RegistryError, match="not found"):
        registry.point(alias="champion", version="99")


def test_a_changed_file_is_noticed_only_by_its_digest(registry):
    registry.point(alias="changed", version="1")
    file = Path(registry.fetch(alias="changed"))
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    try:
        assert registry.fetch(alias="changed", check=False) == str(file)
        with pytest.raises(RegistryError, match="is not the file that was registered as version 1"):
            registry.fetch(alias="changed")
    finally:
        file.write_bytes(whole)


def test_told_to_be_quiet_it_calls_nobody_and_stages_are_deprecated(registry):
    assert registry.hosts() == []
    assert "deprecated" in registry.stage(version="1", stage="Archived")["says"]


def test_a_program_that_ends_says_why(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RegistryError, match="the registry's program has ended"):
        Registry(tmp_path / "file" / "no folder")
