"""The table of locks, systems and Pythons: how it is made, and that it is of the locks as they are."""

import json

import pytest

from fsdl_course.setup import platforms
from fsdl_course.setup.platforms import NEWER, PlatformsError
from fsdl_course.setup.pythons import SUPPORTED
from fsdl_deploy.running import fitting, stations

LOCK = """a==1 \\
    --hash=sha256:00
    # via b
a-b==2 ; sys_platform != 'x' \\
    --hash=sha256:11
c==3 \\
    --hash=sha256:22
"""


def refusing(*packages, newer=()):
    """A stand-in for uv: it has no wheel of these, on an older system neither of ``newer``."""

    def resolve(lock, system, python):
        lacks = [*packages, *(newer if "2_28" in system else ())]
        for package in lacks:
            if any(line.startswith((f"{package} ", f"{package}\n")) for line in lock.splitlines()):
                return f"error: No solution\n  cause: Because {package} has no\n wheels with a matching tag"
        return ""

    return resolve


def test_a_package_is_taken_out_with_its_sums():
    assert platforms.without(LOCK, "a==1").startswith("a-b==2")
    assert "11" not in platforms.without(LOCK, "a-b==2") and "22" in platforms.without(LOCK, "a-b==2")
    assert platforms.without(LOCK, "a==11") == LOCK


def test_every_package_without_a_wheel_is_named():
    assert platforms.cell(LOCK, "macos-arm64", "3.13", refusing()) == "ok"
    assert platforms.cell(LOCK, "macos-arm64", "3.13", refusing("c==3", "a==1")) == ["a==1", "c==3"]


def test_a_wheel_for_newer_systems_only_is_said():
    assert platforms.cell(LOCK, "linux-x86_64", "3.13", refusing(newer=["c==3"])) == NEWER
    assert platforms.cell(LOCK, "linux-x86_64", "3.13", refusing("a==1", newer=["c==3"])) == ["a==1"]


def test_an_error_of_another_kind_is_told():
    with pytest.raises(PlatformsError, match="dns error"):
        platforms.cell(LOCK, "linux-x86_64", "3.13", lambda *_: "dns error")


@pytest.fixture
def root(tmp_path):
    for name in ("requirements.lock", "infra/tool/requirements.lock"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(LOCK)
    (tmp_path / "infra/tool/station.toml").write_text('name = "tool"\npurpose = "a test"\n')
    return tmp_path


def test_only_what_changed_is_looked_at_again(root, capsys):
    assert platforms.stale(root) == ["core", "tool"]
    platforms.update(platforms.stale(root), root, refusing("c==3"))
    assert "[2/2] tool" in capsys.readouterr().out
    assert platforms.stale(root) == []
    (root / "infra/tool/requirements.lock").write_bytes(LOCK.replace("\n", "\r\n").encode())
    assert platforms.stale(root) == []  # a checkout on Windows
    (root / "requirements.lock").write_text(LOCK.replace("c==3", "c==4"))
    assert platforms.stale(root) == ["core"]
    record = json.loads((root / "infra/platforms.json").read_text())
    assert list(record) == ["core", "tool"]
    assert record["tool"]["cells"]["windows-x86_64"]["3.11"] == ["c==3"]


def test_the_table_is_short(root):
    cells = {"3.11": "ok", "3.12": NEWER, "3.13": ["a==1"], "3.14": "ok"}
    assert platforms.pythons_of(cells) == f"3.11–3.12, 3.14, {NEWER}"
    assert platforms.pythons_of({"3.11": ["a==1"]}) == "–"
    printed = str(platforms.table({"core": {"cells": dict.fromkeys(platforms.SYSTEMS, cells)}}))
    assert "core: a==1" in printed and "macOS arm64" in printed


def test_the_record_is_of_the_locks_as_they_are():
    assert not platforms.stale(), "run `fsdl-course platforms`, which resolves the changed locks, and commit"
    assert list(platforms.recorded()) == list(platforms.locks())


def test_each_cell_without_wheels_is_declared_by_its_station():
    record = platforms.recorded()
    pythons = {f"{major}.{minor}": (major, minor) for major, minor in SUPPORTED}
    for name, entry in record.items():
        station = stations.stations().get(name)  # None: the core, which runs everywhere
        assert entry["cells"].keys() == platforms.SYSTEMS.keys() == fitting.SYSTEMS.keys(), name
        for system, row in entry["cells"].items():
            assert row.keys() == pythons.keys(), (name, system)
            for python, result in row.items():
                declared = station is None or (
                    system in station.platforms and fitting.allows(station.requires_python, pythons[python])
                )
                lacks = result if isinstance(result, list) else []
                from_source = set() if station is None else set(station.source)
                lacks = [package for package in lacks if package.partition("==")[0] not in from_source]
                assert not (declared and lacks), (name, system, python, lacks)
