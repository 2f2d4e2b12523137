"""The scripts that give CI its engine, with programs that only pretend to be one: none is started."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from fsdl_deploy.paths import ROOT

SCRIPT = ROOT / "infra" / "docker" / "engine.sh"
POSTGRES = list(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
pytestmark = pytest.mark.skipif(not Path("/etc/debian_version").exists(), reason="the scripts are for Debian")


def pretend(folder: Path, **programs: str) -> None:
    """Write shell programs to ``folder``; name -> what it does."""
    folder.mkdir(exist_ok=True)
    for name, does in programs.items():
        file = folder / name.replace("_", "-")
        file.write_text(f"#!/bin/bash\n{does}\n")
        file.chmod(0o755)


# .ci/run


def ci(
    folder: Path, *parts: str, engine: str = "exit 1", docker: str = "exit 1", user: int = 0, **environ: str
):
    """``.ci/run`` of a course whose set-up and tests only say that they were called."""
    (folder / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", folder / ".ci")
    (folder / "infra" / "docker").mkdir(parents=True, exist_ok=True)
    (folder / "infra" / "docker" / "engine.sh").write_text(f'[ "$1" = stop ] && exit\n{engine}\n')
    tools = ["git", "chromium", "python3", "python3.11", "java", "bwrap", "conntrack", "socat", "iptables"]
    there = dict.fromkeys(tools, "true")
    make = 'echo "make $1 with ${DOCKER_HOST:-no engine}" ${2:+"($2)"}'
    pretend(folder / "bin", **there, make=make, fc_list="echo a font", docker=docker, id=f"echo {user}")
    environ = {"PATH": f"{folder / 'bin'}:/usr/bin:/bin", **environ}
    return subprocess.run(
        ["bash", folder / ".ci" / "run", *parts], env=environ, capture_output=True, text=True, timeout=60
    )


@pytest.mark.skipif(not POSTGRES, reason=".ci/run would install PostgreSQL")
def test_ci_fails_where_the_engine_does_not_start_unless_it_may(tmp_path):
    (tmp_path / "a").mkdir()
    process = ci(tmp_path / "a", engine="echo no room >&2; exit 1")
    assert process.returncode == 1 and "no room" in process.stdout and "ALLOW_NO_ENGINE=1" in process.stderr
    assert "make test" not in process.stdout
    (tmp_path / "b").mkdir()
    process = ci(tmp_path / "b", engine="exit 1", ALLOW_NO_ENGINE="1")
    assert process.returncode == 0 and "tests are skipped" in process.stdout
    assert "make test with no engine" in process.stdout


@pytest.mark.skipif(not POSTGRES, reason=".ci/run would install PostgreSQL")
@pytest.mark.parametrize(
    ("part", "targets", "words"),
    [
        ("core", ["setup", "test"], '--must-run core -m "not engine"'),
        ("stations", ["setup", "everything", "test"], '--must-run core,stations -m "station and not engine"'),
        ("engine", ["setup", "everything", "test"], "--must-run core,stations,engine -m engine"),
        ("site", ["setup", "everything", "course", "slides", "site"], "--look"),
    ],
)
def test_ci_has_parts_for_several_machines(tmp_path, part, targets, words):
    process = ci(tmp_path, part, docker="exit 0")
    assert process.returncode == 0, process.stderr
    lines = [line for line in process.stdout.splitlines() if line.startswith("make ")]
    assert [line.split()[1] for line in lines] == targets
    assert lines[-1].endswith(f"(ARGS={words})") or not words


@pytest.mark.skipif(not POSTGRES, reason=".ci/run would install PostgreSQL")
@pytest.mark.parametrize(
    ("script", "says", "words"),
    [
        ("exit 0", "Kubernetes: a cluster can be started", "core,stations,engine,cluster"),
        ("echo no gcc >&2; exit 1", "Kubernetes: no gcc", "core,stations,engine"),
    ],
)
def test_where_a_cluster_can_be_started_its_tests_must_run(tmp_path, script, says, words):
    folder = tmp_path / "infra" / "scaling" / "kubernetes"
    folder.mkdir(parents=True)
    (folder / "cluster.sh").write_text(script + "\n")
    process = ci(tmp_path, docker="exit 0")
    assert process.returncode == 0, process.stderr
    assert says in process.stdout.splitlines() and f"(ARGS=--must-run {words})" in process.stdout


def test_another_part_is_refused(tmp_path):
    process = ci(tmp_path, "everything")
    assert process.returncode == 2 and "core|stations|engine|site" in process.stderr


def test_the_workflow_runs_the_newcomers_command_on_three_systems_and_all_parts():
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8"))["jobs"]
    systems = {system.partition("-")[0] for system in jobs["newcomer"]["strategy"]["matrix"]["system"]}
    assert systems == {"ubuntu", "macos", "windows"}
    commands = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    assert "python tasks.py test" in commands
    parts = {*jobs["parts"]["strategy"]["matrix"]["part"], *re.findall(r"run (engine)$", "\n".join(commands))}
    assert parts == {"core", "stations", "engine", "site"}


@pytest.mark.skipif(not POSTGRES, reason=".ci/run would install PostgreSQL")
@pytest.mark.parametrize(
    ("given", "says", "tested"),
    [
        ({"engine": "echo unix:///e.sock"}, "starting one", "make test with unix:///e.sock"),
        ({"docker": "exit 0"}, "one answers", "make test with no engine"),  # the usual socket: no DOCKER_HOST
        ({"user": 1000}, "container tests are skipped", "make test with no engine"),
    ],
)
def test_ci_says_in_a_line_which_engine_it_has(tmp_path, given, says, tested):
    process = ci(tmp_path, **given)
    (line,) = [line for line in process.stdout.splitlines() if line.startswith("Container engine: ")]
    assert process.returncode == 0 and says in line and tested in process.stdout


# engine.sh stop


def stop(folder: Path | str) -> subprocess.Popen:
    return subprocess.Popen(["bash", SCRIPT, "stop", folder], stderr=subprocess.PIPE, text=True)


@pytest.fixture
def process():
    """Start a process that sleeps, with these words in its command line; it ends with the test."""
    started = []

    def start(*words) -> subprocess.Popen:
        started.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", *words]))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_stop_ends_the_daemon_of_its_folder_and_no_other_process(tmp_path, process):
    mine, other, folder = tmp_path / "mine", tmp_path / "other", tmp_path / "gone"
    daemon, stranger = (process("--pidfile", f"{mine}/dockerd.pid") for _ in range(2))
    ended = subprocess.Popen(["true"])
    ended.wait()
    for place, number in ((mine, daemon.pid), (other, stranger.pid), (folder, ended.pid)):
        place.mkdir()
        (place / "dockerd.pid").write_text(str(number))
    stopping = stop(f"{mine}/")
    assert daemon.wait(20) != 0 and stopping.wait(20) == 0
    for place in (other, folder):  # another process has the number, or none
        stopping = stop(place)
        assert stopping.wait(20) == 0 and stopping.stderr.read() == ""
    assert stranger.poll() is None
    assert not [place for place in (mine, other, folder) if place.exists()]


def test_stop_leaves_a_folder_alone_in_which_no_engine_was_started(tmp_path):
    (tmp_path / "notes").write_text("mine")
    assert stop(tmp_path).wait(20) == 0
    assert (tmp_path / "notes").exists()


# engine.sh start


@pytest.mark.skipif(not Path("/etc/apt/sources.list.d/debian.sources").exists(), reason="as Debian 12 has it")
def test_start_fetches_mmdebstrap_where_docker_is_there_and_tells_why_a_stand_in_failed(tmp_path):
    programs, folder = tmp_path / "bin", tmp_path / "engine"
    install = f'[ "$1" != install ] || {{ echo "touch {folder}/base.tar" > {programs}/mmdebstrap; '
    pretend(
        programs,
        apt_get=install + f"chmod +x {programs}/mmdebstrap; }}",
        dockerd=f"echo $$ > {folder}/dockerd.pid; exec sleep 60",
        docker=f"case $1 in info) test -s {folder}/dockerd.pid;; import) ;; "
        '*) echo "no space left: $*"; exit 1;; esac',
    )
    real = "bash chmod dirname head mkdir realpath rm sed seq setsid sleep tail touch"
    for name in real.split():
        (programs / name).symlink_to(shutil.which(name))
    command, environ = [shutil.which("bash"), SCRIPT, "start", folder], {"PATH": str(programs)}
    try:
        process = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60)
    finally:
        os.kill(int((folder / "dockerd.pid").read_text()), signal.SIGTERM)
    assert (programs / "mmdebstrap").exists()
    assert process.returncode == 1 and process.stdout == ""
    assert "The stand-in for postgres:15 was not built" in process.stderr
    assert "no space left: build" in process.stderr
