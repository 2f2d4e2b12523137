"""``fsdl-course platforms``: for which systems and Pythons each lock has wheels, and the record of it.

The record, ``infra/platforms.json``, says for each lock, system and Python which packages have no wheel. uv
makes it: it resolves each lock as that machine would, with wheels only, and installs nothing. Only a lock
that has changed since is resolved again. torch is locked apart and left out.
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fsdl_course.setup import installer
from fsdl_course.setup.locks import public_environ
from fsdl_course.setup.pythons import SUPPORTED
from fsdl_deploy import files
from fsdl_deploy.measuring.machine import whole_cores
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.paths import ROOT
from fsdl_deploy.running import fitting, stations

RECORD = Path("infra") / "platforms.json"
SYSTEMS = {  # names of ``fitting.SYSTEMS``: uv's name for each, and the oldest of the kind that is looked at
    "linux-x86_64": ("x86_64-manylinux_2_28", "glibc 2.28"),
    "linux-aarch64": ("aarch64-manylinux_2_28", "glibc 2.28"),
    "macos-arm64": ("aarch64-apple-darwin", "macOS 14"),
    "windows-x86_64": ("x86_64-pc-windows-msvc", "Windows 11"),
}
NEWER = "glibc 2.35"  # Ubuntu 22.04, Debian 12: where a wheel is for these only, its cell says so
WHEELS = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "--dry-run", "--quiet"]
LACKS = re.compile(r"Because (\S+) has no ")
MOST = 30  # packages without a wheel, from which on the lock itself must be wrong

Cell = str | list[str]
"""``"ok"``, ``NEWER``, or the packages without a wheel, each as ``name==version``."""


class PlatformsError(RuntimeError):
    """A lock cannot be looked at; the message says what uv says."""


def locks(root: Path = ROOT) -> dict[str, Path]:
    """The locks by the name of their station; the core's is ``core``."""
    known = {station.name: station.lock for station in stations.stations(root).values()}
    return {"core": root / "requirements.lock", **known}


def digest(lock: Path) -> str:
    """The sum of a lock; line ends are git's business."""
    return hashlib.sha256(lock.read_bytes().replace(b"\r\n", b"\n")).hexdigest()


def recorded(root: Path = ROOT) -> dict[str, dict]:
    """The record: ``{name: {"sha256": …, "uv": …, "cells": {system: {python: cell}}}}``; {} without one."""
    try:
        return json.loads((root / RECORD).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}


def stale(root: Path = ROOT) -> list[str]:
    """The names of locks that the record does not have as they are now."""
    record = recorded(root)
    return [name for name, lock in locks(root).items() if record.get(name, {}).get("sha256") != digest(lock)]


def without(lock: str, package: str) -> str:
    """The text of a lock without one ``name==version``, where the lock has it."""
    block = re.compile(rf"^{re.escape(package)}(?=[\s;]).*\n(?:[ \t].*\n)*", re.MULTILINE)
    return block.sub("", lock)


def lacking(lock: str, system: str, python: str, resolve) -> list[str]:
    """The packages of a lock's text without a wheel; ``resolve(lock, system, python)`` gives uv's error."""
    packages: list[str] = []
    while error := resolve(lock, system, python):
        match = LACKS.search(" ".join(error.split()))
        shorter = without(lock, match[1]) if match else lock
        if shorter == lock or len(packages) == MOST:
            raise PlatformsError(f"{system}, Python {python}: {error}")
        lock = shorter
        packages.append(match[1])
    return sorted(packages)


def cell(lock: str, system: str, python: str, resolve) -> Cell:
    """What the record says of a lock for one system and Python."""
    packages = lacking(lock, SYSTEMS[system][0], python, resolve)
    if not packages:
        return "ok"
    newer = SYSTEMS[system][0].replace("_2_28", "_2_35")
    if newer != SYSTEMS[system][0]:
        lacks_newer = lacking(lock, newer, python, resolve)
        return lacks_newer or NEWER
    return packages


def with_uv(lock: str, system: str, python: str) -> str:
    """Resolve a lock's text with the uv of this interpreter; what it says if it cannot, "" if it can."""
    environ = public_environ(Path(sys.executable)) | {"MACOSX_DEPLOYMENT_TARGET": "14.0"}
    with tempfile.TemporaryDirectory(prefix="fsdl-deploy-") as folder:
        listed = Path(folder) / "requirements.txt"
        listed.write_text(lock, encoding="utf-8")
        command = [sys.executable, "-m", "uv", "pip", "install", *WHEELS, "--target", folder]
        command += ["-r", str(listed), "--python-platform", system, "--python-version", python]
        process = subprocess.run(command, capture_output=True, text=True, env=environ, encoding="utf-8")
    return (process.stderr.strip() or f"uv ended with {process.returncode}") if process.returncode else ""


def row(lock: Path, resolve=with_uv) -> dict[str, dict[str, Cell]]:
    """The cells of one lock, for every system and Python."""
    text = lock.read_text(encoding="utf-8")
    places = [(system, f"{major}.{minor}") for system in SYSTEMS for major, minor in SUPPORTED]
    with ThreadPoolExecutor(whole_cores()) as pool:
        cells = list(pool.map(lambda place: cell(text, *place, resolve), places))
    by_system: dict[str, dict[str, Cell]] = {system: {} for system in SYSTEMS}
    for (system, python), result in zip(places, cells, strict=True):
        by_system[system][python] = result
    return by_system


def update(names: list[str], root: Path = ROOT, resolve=with_uv) -> None:
    """Resolve the locks called ``names`` and write the record after each one; rows of no lock go."""
    known = locks(root)
    uv = installer.uv_version(Path(sys.executable))
    for number, name in enumerate(names, start=1):
        print(f"[{number}/{len(names)}] {name} …", flush=True)
        entry = {"sha256": digest(known[name]), "uv": uv, "cells": row(known[name], resolve)}
        record = {**recorded(root), name: entry}
        record = {name: record[name] for name in known if name in record}
        files.write(root / RECORD, json.dumps(record, indent=1) + "\n")


def ranges(minors: list[int]) -> str:
    """``[11, 12, 13]`` -> ``3.11–3.13``; "–" for none."""
    parts: list[list[int]] = []
    for minor in minors:
        if parts and parts[-1][-1] == minor - 1:
            parts[-1].append(minor)
        else:
            parts.append([minor])
    texts = [f"3.{part[0]}–3.{part[-1]}" if len(part) > 1 else f"3.{part[0]}" for part in parts]
    return ", ".join(texts) or "–"


def pythons_of(cells: dict[str, Cell]) -> str:
    """The Pythons for which a lock has all wheels on one system."""
    good = {python: result for python, result in cells.items() if isinstance(result, str)}
    newer = f", {NEWER}" if NEWER in good.values() else ""
    return ranges([int(python.partition(".")[2]) for python in good]) + newer


def table(record: dict[str, dict]) -> Table:
    """The record for a terminal: the Pythons of each lock on each system, and what is missing elsewhere."""
    rows, missing = [], []
    for name, entry in record.items():
        cells = entry["cells"]
        rows.append([name, *(pythons_of(cells[system]) for system in SYSTEMS)])
        without = [cell for row in cells.values() for cell in row.values() if not isinstance(cell, str)]
        if lacks := sorted({package for packages in without for package in packages}):
            missing.append(f"{name}: {', '.join(lacks)}")
    header = ["lock", *(f"{fitting.SYSTEMS[name]}, {oldest}" for name, (_, oldest) in SYSTEMS.items())]
    caption = "The Pythons for which every package of a lock has a wheel"
    notes = ["", "Without a wheel where a Python is missing above:", *missing] if missing else []
    return Table(header, *rows, caption=caption, notes=notes)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--all", action="store_true", help="resolve every lock, not only those that changed")
    parser.add_argument("--show", action="store_true", help="print the record; resolve nothing")


def main(args: argparse.Namespace) -> int:
    """Resolve what changed and print the table; 1 where a lock cannot be looked at."""
    try:
        if not args.show:
            update(list(locks()) if args.all else stale())
    except (PlatformsError, stations.StationError) as error:
        print(error, file=sys.stderr)
        return 1
    print(table(recorded()))
    return 0
