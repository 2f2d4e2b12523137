"""A practice run from outside the arena: its folders, its end however that comes, its points."""

import sys

import onnxruntime
import pytest
from polling import alive, until

from fsdl_course.capstone import hand_in, new, points, practice, timetable
from fsdl_course.capstone.points import BROKEN, HELD, UNKNOWN
from fsdl_course.capstone.verdicts import CriterionVerdict
from fsdl_course.labs.backends.backend import SandboxError


def test_only_what_is_held_earns():
    names = [criterion.name for criterion in points.TABLE]
    verdicts = [CriterionVerdict(name, HELD, "") for name in names]
    assert practice.earned(verdicts) == points.TOTAL == 100
    verdicts[names.index("lost")] = CriterionVerdict("lost", BROKEN, "")
    verdicts[names.index("p99")] = CriterionVerdict("p99", UNKNOWN, "")
    assert practice.earned(verdicts) == 100 - 16 - 10


def test_the_version_that_is_broken_does_not_load_and_the_others_do(tmp_path):
    practice.place_models(tmp_path / "models")
    with pytest.raises(Exception, match=r"[Pp]rotobuf|INVALID"):
        onnxruntime.InferenceSession(tmp_path / "models" / f"{timetable.BROKEN_NAME}.onnx")
    for version in ("v1", "v2"):
        assert onnxruntime.InferenceSession(tmp_path / "models" / f"{version}.onnx")


def test_the_service_sees_neither_the_seed_nor_the_history(tmp_path):
    new.write(tmp_path / "mine", "python")
    (tmp_path / "work" / "service").mkdir(parents=True)
    spec = practice.specification(tmp_path / "work", hand_in.read(tmp_path / "mine"), 1, 2, 9.0)
    given = [spec["place"][name] for name in ("service", "models", "state")]
    assert not any(spec["history"].startswith(folder + "/") for folder in given)
    assert {path.name for path in (tmp_path / "work" / "service").iterdir()} >= {
        "service.py",
        "capstone.toml",
    }


@pytest.mark.parametrize(
    ("program", "raises", "says"),
    [
        ("import sys; sys.exit('allow user namespaces')", RuntimeError, "allow user namespaces"),
        ("import sys; print('no namespaces', file=sys.stderr); sys.exit(3)", SandboxError, "no namespaces"),
    ],
)
def test_an_arena_that_ends_badly_says_why(tmp_path, monkeypatch, program, raises, says):
    script = tmp_path / "arena"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{program}"\n', encoding="utf-8")
    script.chmod(0o755)
    monkeypatch.setattr(practice.sys, "executable", str(script))
    with pytest.raises(raises, match=says):
        practice._run(tmp_path, 1.0)


def test_an_arena_that_never_ends_is_ended_with_all_that_it_started(tmp_path, monkeypatch):
    script = tmp_path / "arena"
    script.write_text("#!/bin/sh\nsleep 100 & echo $! > pids; wait\n", encoding="utf-8")
    script.chmod(0o755)
    monkeypatch.setattr(practice.sys, "executable", str(script))
    monkeypatch.setattr(practice, "PATIENCE", 0.5)
    monkeypatch.setattr(practice, "ROOT", tmp_path)
    practice._run(tmp_path, 0.5)
    pid = int((tmp_path / "pids").read_text(encoding="ascii"))
    until(lambda: not alive(pid), 10, "the end of what it started")


def test_a_seed_below_zero_is_a_sentence(tmp_path):
    from fsdl_course import cli

    new.write(tmp_path / "mine", "python")
    assert cli.main(["capstone", "try", str(tmp_path / "mine"), "--seed", "-1"]) == 1
