"""The doctor in broken environments: each is said in one line with what to do, and none stops the others."""

import argparse
import hashlib
import http.server
import json
import os
import re
import shutil
import socketserver
import subprocess
import sys
import threading
from collections import namedtuple
from pathlib import Path

import pytest

from fsdl_course.setup import doctor
from fsdl_course.setup.looks import course, hardware, network, programs
from fsdl_course.setup.looks.finding import GB, GIB, Finding
from fsdl_deploy import proxies
from fsdl_deploy.measuring.machine import java
from fsdl_deploy.paths import ROOT
from fsdl_deploy.running import stations
from fsdl_deploy.running.stations import STAMP


def levels(findings) -> list[str]:
    findings = list(findings)
    for finding in findings:
        assert "\n" not in str(finding)
        assert finding.level == "ok" or finding.advice, f"{finding} does not say what to do"
    return [finding.level for finding in findings]


@pytest.mark.parametrize(
    ("version", "level"),
    [
        ((3, 11, 7), "ok"),
        ((3, 12, 0), "ok"),
        ((3, 10, 2), "problem"),
        ((3, 14, 0), "ok"),
        ((3, 15, 0), "problem"),
    ],
)
def test_python(version, level):
    assert levels(course.look_at_python(version)) == [level]


@pytest.mark.parametrize(("cores", "level"), [(2, "ok"), (64, "ok"), (1, "note"), (0.5, "note")])
def test_cores(cores, level):
    assert levels(hardware.look_at_cores(cores)) == [level]


@pytest.mark.parametrize(("gib", "level"), [(16, "ok"), (2, "note"), (0.5, "problem")])
def test_memory(gib, level):
    assert levels(hardware.look_at_memory(int(gib * GIB))) == [level]


@pytest.mark.parametrize(
    ("free", "to_build", "level"),
    [
        *[(100, 2, "ok"), (3.1, 2, "ok"), (2.5, 2, "note"), (1.5, 2, "problem"), (0.1, 2, "problem")],
        *[(4, 0, "ok"), (1, 0, "ok"), (0.7, 0, "note"), (0.1, 0, "problem")],
    ],
)
def test_disk(free, to_build, level):
    usage = namedtuple("usage", "free")(int(free * GB))
    findings = list(hardware.look_at_disk(usage=lambda root: usage, to_build=(to_build * GB, 0)))
    assert levels(findings) == [level]
    assert level == "ok" or ("about 2 GB" in findings[0].advice) == bool(to_build)


def test_stations_need_disk_only_when_they_are_built():
    usage = namedtuple("usage", "free")(4 * GB)
    (finding,) = hardware.look_at_disk(usage=lambda root: usage, to_build=(0, 7 * GB))
    assert levels([finding]) == ["ok"] and "all stations together would take about 7 GB" in finding.fact


def new_clone(folder: Path) -> Path:
    """What says which environments there are, and none of them."""
    for path in [ROOT / "environment.yml", *ROOT.glob("infra/**/station.toml")]:
        copy = folder / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
        copy.with_name("requirements.lock").touch()
    return folder


def finish(environment: Path) -> None:
    environment.mkdir(parents=True, exist_ok=True)
    (environment / STAMP).write_text('{"digest": "old"}')


def test_disk_of_a_first_set_up_is_what_the_readme_says(tmp_path, monkeypatch):
    monkeypatch.delenv("CONDA_PREFIX", raising=False)
    (gigabytes,) = re.findall(r"need\s+(\d+) GB of disk", (ROOT / "README.md").read_text(encoding="utf-8"))
    core, _ = hardware.disk_to_build(new_clone(tmp_path))
    assert round(core / GB) == int(gigabytes)
    (finding,) = hardware.look_at_disk(tmp_path, lambda root: namedtuple("usage", "free")(1 * GB))
    assert finding.level == "problem" and f"about {gigabytes} GB" in finding.advice


def test_what_is_set_up_needs_no_disk_any_more(tmp_path, monkeypatch):
    monkeypatch.delenv("CONDA_PREFIX", raising=False)
    core, all_stations = hardware.disk_to_build(new_clone(tmp_path))
    assert core and all_stations
    finish(tmp_path / ".venv")
    assert hardware.disk_to_build(tmp_path) == (0, all_stations)
    for name in stations.stations(tmp_path):
        finish(tmp_path / ".venv" / "stations" / name)
    assert hardware.disk_to_build(tmp_path) == (0, 0)


def test_the_disk_is_asked_for_what_was_recorded(tmp_path, monkeypatch):
    monkeypatch.delenv("CONDA_PREFIX", raising=False)
    new_clone(tmp_path)
    names = ["core", *stations.stations(tmp_path)]
    sizes = {name: {"size": 3 * GB, "added": GB, "seconds": 1} for name in names}
    (tmp_path / "infra" / "sizes.json").write_text(json.dumps({"environments": sizes}))
    assert hardware.disk_to_build(tmp_path) == (GB, (len(names) - 1) * GB)


# -- packages


def install(site: Path, name: str, version: str) -> None:
    about = site / f"{name.replace('-', '_')}-{version}.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


@pytest.fixture
def locked(tmp_path):
    sums = " \\\n    --hash=sha256:" + "0" * 64
    rows = [
        f"numpy==2.4.6 ; python_full_version < '4'{sums}",
        f"numpy==9.9.9 ; python_full_version >= '4'{sums}",
        f"typing-extensions==4.16.0{sums}",
        f"pip==26.3{sums}",
    ]
    (tmp_path / "requirements.lock").write_text("\n".join(rows))
    (tmp_path / "requirements-torch.lock").write_text("# torch\ntorch==2.13.0\n")
    return tmp_path


def test_packages_as_locked(locked):
    site = locked / "site"
    install(site, "numpy", "2.4.6")
    install(site, "Typing_Extensions", "4.16.0")
    install(site, "torch", "2.13.0+cpu")
    install(site, "pip", "1.0")  # its version changes nothing for a lesson
    install(site, "extra", "1.0")
    assert levels(course.look_at_packages(locked, [str(site)])) == ["ok"]


def test_packages_missing_and_in_another_version(locked):
    site = locked / "site"
    install(site, "numpy", "1.26.0")
    install(site, "torch", "2.13.0+cpu")
    findings = list(course.look_at_packages(locked, [str(site)]))
    assert levels(findings) == ["problem", "problem"]
    assert "typing-extensions" in findings[0].fact
    assert "numpy 1.26.0 (locked: 2.4.6)" in findings[1].fact


def test_packages_with_a_damaged_one(locked):
    site = locked / "site"
    install(site, "numpy", "2.4.6")
    install(site, "torch", "2.13.0")
    (site / "typing_extensions-4.16.0.dist-info").mkdir()  # an install that was cut off: no METADATA
    findings = list(course.look_at_packages(locked, [str(site)]))
    assert levels(findings) == ["problem"] and "typing-extensions" in findings[0].fact


def test_packages_without_a_lock(tmp_path):
    findings = list(course.look_at_packages(tmp_path, []))
    assert levels(findings) == ["problem"] and "requirements.lock" in findings[0].advice


# -- ports, engine, programs


@pytest.fixture
def no_proxies(monkeypatch):
    for name in [name for name in os.environ if name.lower().endswith("_proxy")] + [proxies.LEFT_OUT]:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_ports_work_here_and_a_proxy_in_between_is_found(no_proxies):
    assert levels(network.look_at_ports()) == ["ok"]
    no_proxies.setenv("http_proxy", "http://127.0.0.1:9")
    findings = list(network.look_at_ports())
    assert levels(findings) == ["problem"]
    assert "http_proxy" in findings[0].advice and "NO_PROXY" in findings[0].advice
    no_proxies.setenv("no_proxy", "127.0.0.1,localhost")
    assert levels(network.look_at_ports()) == ["ok"]


@pytest.mark.parametrize(
    ("name", "value"), [("ALL_PROXY", "socks://127.0.0.1:9"), ("ALL_PROXY", "http://127.0.0.1:port")]
)
def test_what_ends_a_client_is_found_by_trying(no_proxies, name, value):
    no_proxies.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    no_proxies.setenv("NO_PROXY", "localhost,127.0.0.1")
    no_proxies.setenv(name, value)
    (finding,) = network.look_at_ports()
    assert levels([finding]) == ["problem"] and name in finding.advice and "httpx2" in finding.fact


def test_proxies_are_named(no_proxies):
    assert levels(network.look_at_proxies({})) == []
    (good,) = network.look_at_proxies({"HTTPS_PROXY": "http://proxy.example:3128"})
    assert levels([good]) == ["ok"] and "HTTPS_PROXY" in good.fact
    wrong = {"ALL_PROXY": "socks://127.0.0.1:7890", "HTTPS_PROXY": "http://proxy.example:3128"}
    (finding,) = network.look_at_proxies(wrong)
    assert levels([finding]) == ["note"] and finding.fact.startswith("ALL_PROXY=socks://127.0.0.1:7890")
    assert "HTTPS_PROXY" not in finding.fact and "unset it" in finding.advice


def test_a_sandbox_is_there_or_only_instructors_miss_it():
    assert levels(programs.look_at_sandbox(lambda name: "/usr/bin/bwrap")) == ["ok"]
    assert levels(programs.look_at_sandbox(lambda name: None)) == ["note"]


def test_java_runs_or_is_not_there(tmp_path):
    assert levels(programs.look_at_java(lambda: "/usr/bin/java")) == ["ok"]
    assert levels(programs.look_at_java(lambda: None)) == ["note"]
    assert java({"PATH": str(tmp_path)}) is None
    program = tmp_path / "bin" / "java"
    program.parent.mkdir()
    for status, expected in ((1, None), (0, str(program))):  # the first: as macOS has it without Java
        program.write_text(f"#!/bin/sh\necho openjdk 17\nexit {status}\n")
        program.chmod(0o755)
        assert java({"JAVA_HOME": str(tmp_path), "PATH": ""}) == expected


def test_ports_that_cannot_be_opened(monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError("not allowed")

    monkeypatch.setattr(network.socket, "create_server", refuse)
    assert levels(network.look_at_ports()) == ["problem"]


class Engine(http.server.BaseHTTPRequestHandler):
    status = 200

    def do_GET(self):
        self.send_response(self.status if self.path == "/_ping" else 404)
        self.end_headers()

    def address_string(self):
        return "engine"

    def log_message(self, *args):
        pass


@pytest.mark.skipif(not hasattr(socketserver, "UnixStreamServer"), reason="no unix sockets here")
@pytest.mark.parametrize(("status", "level"), [(200, "ok"), (500, "note")])
def test_engine_that_answers(tmp_path, status, level):
    place = str(tmp_path / "engine.sock")
    handler = type("Answer", (Engine,), {"status": status})
    with socketserver.UnixStreamServer(place, handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            findings = programs.look_at_engine({"DOCKER_HOST": f"unix://{place}"}, which=lambda name: name)
            assert levels(findings) == [level]
        finally:
            server.shutdown()
            thread.join()


def test_engine_that_is_not_there(tmp_path):
    environ = {"DOCKER_HOST": f"unix://{tmp_path}/none.sock"}
    (client_only,) = programs.look_at_engine(environ, which=lambda name: name)
    (nothing,) = programs.look_at_engine(environ, which=lambda name: None)
    assert levels([client_only, nothing]) == ["note", "note"]
    assert "no engine answers" in client_only.fact and "installed" in nothing.fact


def program(folder: Path, name: str, body: str) -> str:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.skipif(os.name == "nt", reason="shell scripts")
def test_browser(tmp_path):
    good = program(tmp_path, "chromium", "echo Chromium 156")
    broken = program(tmp_path, "google-chrome", "echo cannot load library >&2; exit 127")

    def only(path):
        return lambda name: path if Path(path).name == name else None

    (finding,) = programs.look_at_browser(only(good), [])
    assert levels([finding]) == ["ok"] and "Chromium 156" in finding.fact
    assert levels(programs.look_at_browser(only(broken), [])) == ["note"]
    assert levels(programs.look_at_browser(lambda name: None, [])) == ["note"]
    assert levels(programs.look_at_browser(lambda name: None, [good])) == ["ok"]


def test_gpu_is_never_a_problem():
    assert levels(hardware.look_at_gpu(lambda name: None)) == ["ok"]
    assert levels(hardware.look_at_gpu(lambda name: "/no/such/nvidia-smi")) == ["ok"]


# -- models and stations


def test_models(tmp_path):
    assert levels(course.look_at_models(tmp_path)) == ["problem"]
    (tmp_path / "v1.onnx").write_bytes(b"weights")
    total = hashlib.sha256(b"weights").hexdigest()
    (tmp_path / "SHA256SUMS").write_text(f"{total}  v1.onnx\n")
    assert levels(course.look_at_models(tmp_path)) == ["ok"]
    (tmp_path / "v1.onnx").write_bytes(b"weighty")
    (changed,) = course.look_at_models(tmp_path)
    assert levels([changed]) == ["problem"] and "v1.onnx" in changed.fact
    (tmp_path / "SHA256SUMS").write_text("")
    assert levels(course.look_at_models(tmp_path)) == ["problem"]


def test_stations_are_one_line(tmp_path):
    folder = tmp_path / "infra" / "tool"
    folder.mkdir(parents=True)
    (folder / "requirements.lock").write_text("tiny==1.0\n")
    (folder / "station.toml").write_text('name = "tool"\npurpose = "a test"\n')
    (finding,) = course.look_at_stations(tmp_path)
    (tmp_path / ".venv" / "stations" / "tool").mkdir(parents=True)
    (begun,) = course.look_at_stations(tmp_path)
    (folder / "station.toml").write_text("name = ")
    (broken,) = course.look_at_stations(tmp_path)
    assert levels([finding, begun, broken]) == ["ok", "note", "problem"]
    assert "0 of 1 are built; a notebook builds" in finding.fact
    assert "tool" in begun.fact and "make station NAME=tool" in begun.advice


# -- the report


def test_a_look_that_breaks_does_not_silence_the_others(monkeypatch, capsys):
    def look_at_trouble():
        raise ZeroDivisionError("oh")
        yield

    def look_at_peace():
        yield Finding("ok", "peace", "quiet")

    def look_at_noise():
        yield Finding("note", "noise", "loud", "close the window")

    monkeypatch.setattr(doctor.examine, "__defaults__", ((look_at_noise, look_at_peace),))
    assert doctor.main() == 0
    monkeypatch.setattr(doctor.examine, "__defaults__", ((look_at_trouble, look_at_peace),))
    assert doctor.main() == 1
    printed = capsys.readouterr().out
    lines = printed.splitlines()
    assert [line.split()[0] for line in lines[:2]] == ["note", "ok"]  # what matters comes first
    assert lines[2].startswith("problem")
    assert "trouble" in printed and printed.count("quiet") == 2 and "1 problem to mend" in printed


def test_after_a_set_up_only_what_is_not_well_is_said(monkeypatch, capsys):
    def look_at_peace():
        yield Finding("ok", "peace", "quiet")

    def look_at_noise():
        yield Finding("note", "noise", "loud", "close the window")

    brief = argparse.Namespace(brief=True)
    monkeypatch.setattr(doctor, "ESSENTIAL", (look_at_peace,))
    assert doctor.main(brief) == 0 and capsys.readouterr().out.startswith("All is well")
    monkeypatch.setattr(doctor, "ESSENTIAL", (look_at_peace, look_at_noise))
    assert doctor.main(brief) == 0
    assert capsys.readouterr().out.strip() == str(next(look_at_noise()))
    assert set(doctor.ESSENTIAL) - {look_at_peace, look_at_noise} <= set(doctor.LOOKS)


def test_works_where_no_package_is_installed():
    """A bare interpreter, no site-packages: a report with problems, no traceback."""
    program = "import sys; sys.path.insert(0, sys.argv[1]); from fsdl_course import cli; "
    program += "sys.exit(cli.main(['doctor']))"
    command = [sys.executable, "-S", "-I", "-c", program, str(ROOT)]
    process = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert process.returncode == 1 and "Traceback" not in process.stderr, process.stderr
    (line,) = [line for line in process.stdout.splitlines() if line.split()[1] == "packages"]
    assert line.startswith("problem") and "missing" in line


def test_imports_nothing_heavy():
    program = "import sys; from fsdl_course.setup import doctor, stations; print(*sys.modules)"
    process = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert not {"torch", "numpy", "gradio", "fastapi", "onnxruntime"} & set(process.stdout.split())
