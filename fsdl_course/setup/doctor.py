"""Looks at this machine and says in one line each what is well, what to know, and what to mend.

Standard library only and no heavy import, so that it works where the environment is broken. Knows how to
find out, not how to repair: every line that is not ``ok`` ends in what to do. Each look is a function that
yields findings and takes what it looks at as arguments, so that a test can hand it something broken.
"""

import argparse
import contextlib
import hashlib
import os
import platform
import re
import shutil
import socket
import sys
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from fsdl_deploy.measuring.machine import (
    engine_sockets,
    java,
    locked_versions,
    ping_engine,
    printed,
    usable_cores,
    usable_memory,
)
from fsdl_deploy.paths import ROOT

SUPPORTED = ((3, 11), (3, 12))
GIB, GB = 2**30, 10**9
CORE_DISK, STATION_DISK = 2 * GB, GB // 3  # what `du` says of .venv without its stations, and of a mean one
AGAIN = "run `make lab`; if they stay, `make clean ALL=1` and `make lab` again"
SET_UP_TOOLS = {"pip", "uv"}  # another version of these changes nothing that a lesson uses
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")


@dataclass(frozen=True)
class Finding:
    """One line of the report. A ``problem`` stops the course, a ``note`` does not."""

    level: str  # "ok", "note" or "problem"
    subject: str
    fact: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.level:8}{self.subject:11}{self.fact}" + (f" → {self.advice}" if self.advice else "")


def look_at_python(version=sys.version_info[:3], prefix: str = sys.prefix) -> Iterator[Finding]:
    """The interpreter is a supported version."""
    told = f"{'.'.join(map(str, version))} in {prefix}"
    if tuple(version[:2]) in SUPPORTED:
        yield Finding("ok", "python", told)
    else:
        wanted = " or ".join(f"{major}.{minor}" for major, minor in SUPPORTED)
        yield Finding("problem", "python", told, f"install Python {wanted}, then run `make lab`")


def look_at_cores(cores: float | None = None) -> Iterator[Finding]:
    """At least two cores, for a server beside the notebook that calls it."""
    cores = usable_cores() if cores is None else cores
    if cores >= 2:
        yield Finding("ok", "cores", f"{cores:g}")
    else:
        advice = "lessons run, more slowly; load tests show the machine rather than the server"
        yield Finding("note", "cores", f"{cores:g}", advice)


def look_at_memory(memory: int | None = None) -> Iterator[Finding]:
    """Enough memory for a notebook and a server with a model each."""
    memory = usable_memory() if memory is None else memory
    told = f"{memory / GIB:.1f} GiB"
    if memory >= 3.5 * GIB:
        yield Finding("ok", "memory", told)
    elif memory >= 1.5 * GIB:
        yield Finding("note", "memory", told, "close other programs; run one notebook at a time")
    else:
        yield Finding("problem", "memory", told, "use a machine, or a container limit, of 2 GiB or more")


def look_at_disk(
    root: Path = ROOT, usage: Callable = shutil.disk_usage, to_build: int | None = None
) -> Iterator[Finding]:
    """Room on the disk that holds the course: for what set-up has still to build, and for the lessons."""
    free = usage(root).free
    to_build = disk_to_build(root) if to_build is None else to_build
    told = f"{free / GB:.1f} GB free"
    if free >= to_build + GB:
        yield Finding("ok", "disk", told)
    elif to_build:
        advice = f"what is not set up yet takes about {to_build / GB:.0f} GB: free some before `make lab`"
        yield Finding("problem" if free < to_build else "note", "disk", told, advice)
    else:
        advice = "all is set up; free a GB for what lessons and tests write"
        yield Finding("note" if free >= GB // 2 else "problem", "disk", told, advice)


def disk_to_build(root: Path = ROOT) -> int:
    """Bytes that the environments take which no set-up has finished; an estimate from their mean size."""
    from fsdl_course.setup import environment
    from fsdl_deploy.running import stations

    try:
        known = [station for station in stations.stations(root).values() if station.setup]
    except (stations.StationError, OSError):  # look_at_stations says it
        known = []
    missing = sum(not station.built for station in known)
    core = 0 if environment.core(root).stamp() else CORE_DISK
    return core + missing * STATION_DISK


def look_at_packages(root: Path = ROOT, path: list[str] | None = None) -> Iterator[Finding]:
    """Every locked package is installed in the locked version."""
    try:
        wanted = locked_versions(root / "requirements.lock")
        torch = re.search(r"^torch==(\S+)$", (root / "requirements-torch.lock").read_text(), re.MULTILINE)
    except OSError as error:
        advice = f"restore it with `git checkout -- {Path(error.filename or '').name}`"
        yield Finding("problem", "packages", f"{error.filename} cannot be read", advice)
        return
    installed: dict[str, str | None] = {}
    for found in metadata.distributions(path=sys.path if path is None else path):
        with contextlib.suppress(Exception):  # a damaged package counts as missing
            installed.setdefault(_normal(found.metadata["Name"]), found.version)
    wanted |= {"torch": torch.group(1)} if torch else {}
    wanted = {name: version for name, version in wanted.items() if name not in SET_UP_TOOLS}
    missing = sorted(name for name in wanted if _normal(name) not in installed)
    other = sorted(
        f"{name} {have} (locked: {version})"
        for name, version in wanted.items()
        # +cpu is where torch's wheel comes from, not another version
        if (have := installed.get(_normal(name))) and have.partition("+")[0] != version
    )
    if missing:
        yield Finding("problem", "packages", f"{len(missing)} missing: {_few(missing)}", AGAIN)
    if other:
        yield Finding("problem", "packages", f"{len(other)} in another version: {_few(other)}", AGAIN)
    if not missing and not other:
        yield Finding("ok", "packages", f"{len(wanted)} as locked")


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _few(names: list[str]) -> str:
    return ", ".join(names[:3]) + (" …" if len(names) > 3 else "")


def look_at_ports(bypass: Callable = urllib.request.proxy_bypass) -> Iterator[Finding]:
    """A server on loopback can be reached, and no proxy stands between."""
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(2)
            with socket.create_connection(server.getsockname(), timeout=2):
                server.accept()[0].close()
    except OSError as error:
        advice = "allow programs to listen on 127.0.0.1 (firewall or sandbox settings)"
        yield Finding("problem", "ports", f"no server on 127.0.0.1 can be reached: {error}", advice)
        return
    if urllib.request.getproxies().keys() & {"http", "all"} and not bypass("127.0.0.1"):
        advice = "set NO_PROXY=127.0.0.1,localhost before starting JupyterLab"
        yield Finding("problem", "ports", "a proxy is set for 127.0.0.1 too", advice)
    else:
        yield Finding("ok", "ports", "servers on 127.0.0.1 can be reached")


def look_at_engine(environ=os.environ, which: Callable = shutil.which) -> Iterator[Finding]:
    """A container engine answers."""
    advice = "lessons run without one; to build and run images start Docker or Podman"
    for place in engine_sockets(environ):
        if ping_engine(place):
            yield Finding("ok", "containers", f"an engine answers at {place}")
            return
    if not which("docker") and not which("podman"):
        yield Finding("note", "containers", "no engine installed", advice)
        return
    host = urllib.parse.urlsplit(environ.get("DOCKER_HOST", ""))
    if os.name == "nt" or host.scheme not in ("", "unix"):  # a named pipe or another machine: ask the client
        answer = printed([which("docker") or "docker", "version", "--format", "{{.Server.Version}}"])
        if answer:
            yield Finding("ok", "containers", f"engine {answer}")
            return
    yield Finding("note", "containers", "a client is installed, but no engine answers", advice)


def look_at_java(find: Callable = java) -> Iterator[Finding]:
    """Java, for the one server that is written in it."""
    if found := find():
        yield Finding("ok", "java", found)
    else:
        advice = "lessons run without it; to run TorchServe install Java 17 (Debian: openjdk-17-jre-headless)"
        yield Finding("note", "java", "none", advice)


def look_at_sandbox(which: Callable = shutil.which) -> Iterator[Finding]:
    """What isolates student code while labs are graded; only instructors need it."""
    if found := which("bwrap"):
        yield Finding("ok", "sandbox", f"bubblewrap ({found})")
    else:
        advice = "only grading needs it: install the package bubblewrap, or start a container engine"
        yield Finding("note", "sandbox", "no bubblewrap", advice)


def look_at_gpu(which: Callable = shutil.which) -> Iterator[Finding]:
    """A GPU is good to know of; the course does not use one."""
    found = which("nvidia-smi") and printed(["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"])
    if not found and sys.platform == "darwin" and platform.machine() == "arm64":
        found = "Apple GPU"
    yield Finding("ok", "gpu", found or "none, and none is needed")


def look_at_browser(which: Callable = shutil.which, places: list[str] | None = None) -> Iterator[Finding]:
    """A Chromium that the browser tests can drive. JupyterLab itself opens in any browser."""
    if places is None:
        programs = [os.environ.get(name, "") for name in ("PROGRAMFILES", "PROGRAMFILES(X86)")]
        places = [f"{folder}/Google/Chrome/Application/chrome.exe" for folder in programs if folder]
        places += ["/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"]
        places += ["/Applications/Chromium.app/Contents/MacOS/Chromium"]
    found = next((path for path in map(which, BROWSERS) if path), None)
    found = found or next((place for place in places if Path(place).is_file()), None)
    advice = "lessons open in any browser; `make test` wants Chromium or Chrome: install one"
    if not found:
        yield Finding("note", "browser", "no Chromium or Chrome", advice)
    elif os.name == "nt":  # there `--version` would open a window
        yield Finding("ok", "browser", found)
    elif version := printed([found, "--version"]):
        yield Finding("ok", "browser", f"{version} ({found})")
    elif version is None:  # a busy machine; the program is there
        yield Finding("ok", "browser", found)
    else:
        yield Finding("note", "browser", f"{found} does not say its version", advice)


def look_at_models(folder: Path | None = None) -> Iterator[Finding]:
    """The trained models are the ones that were published."""
    folder = folder or Path(os.environ.get("FSDL_MODELS") or ROOT / "models")
    advice = "restore them with `git checkout -- models`, or make them again with `fsdl-deploy train`"
    try:
        lines = (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
        sums = dict(reversed(line.split(maxsplit=1)) for line in lines if line.strip())
    except (OSError, ValueError, TypeError):
        yield Finding("problem", "models", f"{folder / 'SHA256SUMS'} cannot be read", advice)
        return
    wrong = []
    for name, expected in sums.items():
        file = folder / name.lstrip("*")
        if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != expected:
            wrong.append(name)
    if wrong or not sums:
        told = f"missing or changed: {_few(wrong)}" if wrong else f"{folder / 'SHA256SUMS'} is empty"
        yield Finding("problem", "models", told, advice)
    else:
        yield Finding("ok", "models", f"{len(sums)} files as published")


def look_at_stations(root: Path = ROOT) -> Iterator[Finding]:
    """Which stations are built."""
    from fsdl_course.setup.stations import environment
    from fsdl_deploy.running import stations

    try:
        known = stations.stations(root)
    except (stations.StationError, OSError) as error:
        yield Finding("problem", "stations", str(error), "restore it with `git checkout -- infra`")
        return
    for name, station in known.items():
        if environment(station).ready():
            yield Finding("ok", "stations", f"{name} is built")
        elif station.setup:
            yield Finding("problem", "stations", f"{name} is not built", f"run `make station NAME={name}`")
        else:
            yield Finding("note", "stations", f"{name} is not built", f"`make station NAME={name}` builds it")


LOOKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    look_at_python,
    look_at_cores,
    look_at_memory,
    look_at_disk,
    look_at_packages,
    look_at_ports,
    look_at_engine,
    look_at_java,
    look_at_sandbox,
    look_at_gpu,
    look_at_browser,
    look_at_models,
    look_at_stations,
)


def examine(looks=LOOKS) -> list[Finding]:
    """Every finding, in the order of the looks, which run at the same time; a look that breaks is one too."""

    def one(look: Callable[[], Iterator[Finding]]) -> list[Finding]:
        subject = look.__name__.removeprefix("look_at_")
        try:
            return list(look())
        except Exception as error:  # a broken machine must not silence the other looks
            return [Finding("problem", subject, f"cannot be looked at: {error}", AGAIN)]

    with ThreadPoolExecutor(len(looks)) as threads:
        return [finding for findings in threads.map(one, looks) for finding in findings]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """doctor takes no arguments."""


def main(args: argparse.Namespace | None = None) -> int:
    """Print the report; 1 if a problem stops the course."""
    findings = examine()
    print("\n".join(map(str, findings)))
    problems = sum(finding.level == "problem" for finding in findings)
    if problems:
        print(f"{problems} problem{'s' * (problems > 1)} to mend first.")
    return int(problems > 0)


if __name__ == "__main__":
    sys.exit(main())
