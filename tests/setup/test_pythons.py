"""A Python that fits is found wherever it is, fetched only on request, and its absence is one sentence."""

import re
import subprocess
import sys
import tomllib

import pytest

from fsdl_course.setup import pythons
from fsdl_deploy.paths import ROOT


def answering(versions):
    """A stand-in for asking a command: (which, run) of commands that print their version, or fail (None)."""

    def run(command, **_):
        printed = versions[command[0]]
        if printed is None:
            raise subprocess.CalledProcessError(127, command)
        return f"{printed}\n/base/{command[0]}\n".encode()

    return lambda name: f"/bin/{name}" if name in versions else None, run


@pytest.mark.parametrize(
    ("versions", "interpreter"),
    [
        ({}, None),
        ({"python3.12": "3 12"}, "/base/python3.12"),
        ({"python3.14": "3 14"}, "/base/python3.14"),
        ({"python3.11": "3 11", "python3.13": "3 13"}, "/base/python3.11"),
        ({"python3.11": None, "python3.12": "3 12"}, "/base/python3.12"),  # a shim without a Python behind it
        ({"python3.11": "3 9"}, None),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="py comes first there")
def test_a_python_that_fits_is_looked_for(versions, interpreter, tmp_path):
    which, run = answering(versions)
    assert pythons.fitting_python(which=which, run=run, root=str(tmp_path)) == interpreter


def test_the_python_of_the_courses_environment_comes_first(tmp_path):
    ours = pythons.in_environment(str(tmp_path / ".venv"))
    which, run = answering({ours: "3 13", "python3.11": "3 11"})
    assert pythons.fitting_python(which=which, run=run, root=str(tmp_path)) == f"/base/{ours}"
    assert pythons.fitting_python([(3, 11)], which, run, str(tmp_path)) == "/base/python3.11"


def test_supported_versions_are_said_once():
    with (ROOT / "pyproject.toml").open("rb") as file:
        asked = tomllib.load(file)["project"]["requires-python"]
    first, last = pythons.SUPPORTED[0], pythons.SUPPORTED[-1]
    assert asked == f">={first[0]}.{first[1]},<{last[0]}.{last[1] + 1}"
    assert pythons.FETCHED in pythons.SUPPORTED
    others = [path for path in (ROOT / "fsdl_course").rglob("*.py") if path.name != "pythons.py"]
    assert not [path for path in others if re.search(r"^SUPPORTED =", path.read_text("utf-8"), re.MULTILINE)]


@pytest.mark.parametrize(("value", "wants"), [("", False), ("0", False), ("no", False), ("1", True)])
def test_it_must_be_asked_for(value, wants):
    assert pythons.wants_fetching({pythons.FETCH: value}) is wants
    assert not pythons.wants_fetching({})


def stand_in(tmp_path, status=0):
    """A program that does as uv does, and writes down what it was asked."""
    program = tmp_path / "uv.py"
    program.write_text(
        "import sys, pathlib\n"
        f"pathlib.Path({str(tmp_path / 'asked')!r}).open('a').write(' '.join(sys.argv[1:]) + '\\n')\n"
        "if 'find' in sys.argv: print('/uv/python')\n"
        f"sys.exit({status})\n"
    )
    return [sys.executable, str(program)]


def test_uv_fetches_and_finds(tmp_path):
    assert pythons.of_uv((3, 12), True, stand_in(tmp_path)) == "/uv/python"
    install, find = (tmp_path / "asked").read_text().splitlines()
    assert install == "python install 3.12" and find.endswith("--no-python-downloads 3.12")


def test_without_request_uv_looks_and_fetches_nothing(tmp_path):
    assert pythons.of_uv((3, 12), False, stand_in(tmp_path)) == "/uv/python"
    (find,) = (tmp_path / "asked").read_text().splitlines()
    assert find.startswith("python find") and "--no-python-downloads" in find


def test_where_uv_cannot_there_is_none(tmp_path, monkeypatch):
    assert pythons.of_uv((3, 12), True, stand_in(tmp_path, status=2)) is None
    monkeypatch.setattr(pythons, "uv_command", lambda: None)
    monkeypatch.setattr(pythons, "new_uv", lambda: None)
    assert pythons.of_uv((3, 12), True) is None


def test_the_uv_of_the_lock_is_installed_where_there_is_none(tmp_path, monkeypatch):
    lock = "tqdm==1 \\\n    --hash=sha256:aa\nuv==9.9 \\\n    --hash=sha256:bb\n    # via x\n"
    (tmp_path / "requirements.lock").write_text(lock)
    called = []
    monkeypatch.setattr(subprocess, "call", lambda command: called.append(command) or 1)
    assert pythons.new_uv(str(tmp_path)) is None  # pip could not
    assert "--require-hashes" in called[0]
    requirements = (tmp_path / "build/uv/requirements.txt").read_text()
    assert requirements.startswith("uv==9.9") and "bb" in requirements and "tqdm" not in requirements
