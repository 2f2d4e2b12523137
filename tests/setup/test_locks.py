"""The locks: which files are resolved, and from where."""

import re
import subprocess
import sys
from pathlib import Path

from fsdl_course.setup import installer, locks
from fsdl_deploy.paths import ROOT


def test_every_source_is_resolved_from_the_public_index_alone(tmp_path, monkeypatch):
    for name in (
        "requirements.in",
        "infra/a/requirements.in",
        "infra/a/package.json",
        "infra/.x/package.json",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    calls = []

    def call(command, cwd, env):
        calls.append((command, env))
        return 0 if "compile" in command else 3

    settings = {"find-links": "/wheels", "constraint": "/c.txt", "timeout": "9"}
    monkeypatch.setattr(installer, "pip_settings", lambda python: settings)
    monkeypatch.setattr(subprocess, "call", call)
    assert locks.lock(Path(sys.executable), ["--upgrade"], tmp_path) == 3
    commands = [command for command, _ in calls]
    assert [command[-3:] for command in commands[:2]] == [
        ["requirements.in", "-o", "requirements.lock"],
        ["infra/a/requirements.in", "-o", "infra/a/requirements.lock"],
    ]
    assert all("--upgrade" in command for command in commands[:2])
    assert len(commands) == 3 and commands[2][-2:] == ["--prefix", "infra/a"]
    for _, environ in calls:
        assert environ["UV_HTTP_TIMEOUT"] == "9"
        assert not {"UV_FIND_LINKS", "UV_CONSTRAINT"} & environ.keys()


def test_every_source_finds_what_it_includes_and_its_lock_names_it():
    for source in ROOT.glob("infra/**/requirements.in"):
        includes = re.findall(r"^-[cr] (\S+)", source.read_text("utf-8"), re.M)
        assert all((source.parent / name).is_file() for name in includes), source
        named = set(re.findall(r"-r (\S+\.in)$", source.with_suffix(".lock").read_text("utf-8"), re.M))
        assert named == {source.relative_to(ROOT).as_posix()}, source
