"""Building a target's files: when that is due, and what is kept of a build that fails."""

import hashlib

import pytest
from fake_target import BUILD, TOML, building_of, repository

from fsdl_deploy import weights
from fsdl_deploy.cards import cards
from fsdl_deploy.targets import building, catalogue
from fsdl_deploy.targets.catalogue import TargetError


@pytest.fixture
def target(tmp_path):
    target = repository(tmp_path)
    building.build(target)
    return target


def test_it_is_outdated_until_it_is_built(tmp_path):
    target = repository(tmp_path)
    assert building.outdated(target) == "never built"
    folder = building.build(target)
    assert building.outdated(target) == ""
    assert building.artifact(target, target.variant("float32")) == folder / "fake.json"
    assert folder == tmp_path / "models" / "edge" / "fake"


@pytest.mark.parametrize(
    ("file", "due"),
    [
        ("infra/edge/fake/build.py", True),
        ("infra/edge/fake/parts.py", True),
        ("fsdl_deploy/ctc.py", True),
        ("fsdl_deploy/targets/modules.py", True),
        ("infra/edge/fake/read.py", False),
        ("infra/edge/fake/try_operators.py", False),
        ("infra/edge/fake/target.toml", False),
    ],
)
def test_a_changed_source_makes_it_outdated(target, file, due):
    path = target.root / file
    text = path.read_text() if path.exists() else ""
    path.write_text(text + "\n# changed\n")
    assert building.outdated(target) == ("its sources have changed" if due else "")


def test_other_weights_make_it_outdated(target, monkeypatch):
    monkeypatch.setattr(weights, "verified", lambda name: b"trained again")
    assert building.outdated(target) == "its sources have changed"


def test_ends_of_lines_are_no_change(target):
    path = target.folder / "build.py"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert building.outdated(target) == ""


def test_a_missing_or_damaged_file_is_outdated(target):
    file = target.artifacts / "fake.json"
    file.write_text("{ }")
    assert building.outdated(target) == "fake.json is not what was built"
    file.unlink()
    assert building.outdated(target) == "fake.json is missing"
    (target.artifacts / building.BUILT).write_text("{}")
    with pytest.raises(TargetError, match="damaged"):
        building.outdated(target)


def test_a_new_variant_is_not_built_yet(target):
    (target.folder / "target.toml").write_text(TOML + '[variants.int8]\nfiles = ["small.json"]\n')
    assert building.outdated(catalogue.target("fake", target.root)) == "not built: small.json"


@pytest.mark.parametrize(
    ("build", "problem"),
    [
        ("raise SystemExit('no such operator: scatter')", "no such operator: scatter"),
        ("", "made no fake.json"),
        ("import time\ntime.sleep(600)", "longer than"),
    ],
)
def test_a_build_that_fails_leaves_the_former_files(target, build, problem):
    before = {path: path.read_bytes() for path in target.artifacts.iterdir()}
    (target.folder / "build.py").write_text(build)
    with pytest.raises(TargetError, match=problem):
        building.build(target, seconds=5)
    assert {path: path.read_bytes() for path in target.artifacts.iterdir()} == before


def test_a_trial_leaves_the_target_alone(target, tmp_path):
    trial = tmp_path / "trial"
    trial.mkdir()
    (trial / "mine.txt").write_text("stays")
    (target.folder / "build.py").write_text(building_of(wrong=[1]))
    building.build(target, into=trial)
    assert (trial / "mine.txt").exists() and "wrong" in (trial / "fake.json").read_text()
    assert (target.artifacts / "fake.json").read_text() == "{}"
    assert building.artifact(target, target.variant("float32"), trial) == trial / "fake.json"


def test_a_build_gets_the_calibration_cards_of_the_course(target):
    """Those of ``optimization.quantization``, so that int8 files are made from the same pictures."""
    program = """
import hashlib, pathlib, sys
from fsdl_deploy.targets import card_files
sums = [hashlib.sha256(image.tobytes()).hexdigest() for image in card_files.calibration()]
pathlib.Path(sys.argv[1], "fake.json").write_text(" ".join(sums))
"""
    (target.folder / "build.py").write_text(program)
    building.build(target)
    expected = [card.image for card in cards(128, "typical", "train", seed=3)]
    sums = (target.artifacts / "fake.json").read_text().split()
    assert sums == [hashlib.sha256(image.tobytes()).hexdigest() for image in expected]


def test_what_a_build_leaves_beside_its_files_is_not_kept(target):
    (target.folder / "build.py").write_text(BUILD + 'pathlib.Path(sys.argv[1], "log.txt").write_text("x")\n')
    building.build(target)
    assert sorted(path.name for path in target.artifacts.iterdir()) == [building.BUILT, "fake.json"]


def test_all_kept_files_are_of_their_sources_and_small():
    kept = [target for target in catalogue.targets().values() if target.kept]
    assert {target.name: building.outdated(target) for target in kept} == dict.fromkeys(
        (target.name for target in kept), ""
    )
    size = sum(path.stat().st_size for target in kept for path in target.artifacts.iterdir())
    assert size <= 6_000_000
