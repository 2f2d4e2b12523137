"""Whether the course is whole: its Python, its packages, the models, the stations."""

import contextlib
import hashlib
import os
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from fsdl_course.setup import hosted
from fsdl_course.setup.looks.finding import AGAIN, Finding, few
from fsdl_course.setup.pythons import SUPPORTED, WORDS
from fsdl_deploy.measuring.machine import locked_versions
from fsdl_deploy.paths import ROOT

SET_UP_TOOLS = {"pip", "uv"}  # another version of these changes nothing that a lesson uses


def look_at_python(version=sys.version_info[:3], prefix: str = sys.prefix) -> Iterator[Finding]:
    """The interpreter is a supported version."""
    python = f"{'.'.join(map(str, version))} in {prefix}"
    if tuple(version[:2]) in SUPPORTED:
        yield Finding("ok", "python", python)
    else:
        yield Finding("problem", "python", python, f"install Python {WORDS}, then run `make lab`")


def look_at_packages(root: Path = ROOT, path: list[str] | None = None) -> Iterator[Finding]:
    """Every locked package is installed in the locked version; on a host, what the lessons need fits."""
    if path is None and hosted.is_host(root):
        advice = "run the notebook's first cell of code again"
        absent = hosted.lacking(root)
        yield (
            Finding("problem", "packages", f"{len(absent)} do not fit: {few(absent)}", advice)
            if absent
            else (Finding("ok", "packages", "this host's own, and what it lacked as locked"))
        )
        return
    try:
        locked = locked_versions(root / "requirements.lock")
        of_torch = (root / "requirements-torch.lock").read_text(encoding="utf-8")
        torch = re.search(r"^torch==(\S+)$", of_torch, re.MULTILINE)
    except OSError as error:
        advice = f"restore it with `git checkout -- {Path(error.filename or '').name}`"
        yield Finding("problem", "packages", f"{error.filename} cannot be read", advice)
        return
    installed: dict[str, str | None] = {}
    for package in metadata.distributions(path=sys.path if path is None else path):
        with contextlib.suppress(Exception):  # a damaged package counts as missing
            installed.setdefault(hosted.normal(package.metadata["Name"]), package.version)
    locked |= {"torch": torch.group(1)} if torch else {}
    locked = {name: version for name, version in locked.items() if name not in SET_UP_TOOLS}
    missing = sorted(name for name in locked if hosted.normal(name) not in installed)
    other = sorted(
        f"{name} {have} (locked: {version})"
        for name, version in locked.items()
        # +cpu is where torch's wheel comes from, not another version
        if (have := installed.get(hosted.normal(name))) and have.partition("+")[0] != version
    )
    if missing:
        yield Finding("problem", "packages", f"{len(missing)} missing: {few(missing)}", AGAIN)
    if other:
        yield Finding("problem", "packages", f"{len(other)} in another version: {few(other)}", AGAIN)
    if not missing and not other:
        yield Finding("ok", "packages", f"{len(locked)} as locked")


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
        fact = f"missing or changed: {few(wrong)}" if wrong else f"{folder / 'SHA256SUMS'} is empty"
        yield Finding("problem", "models", fact, advice)
    else:
        yield Finding("ok", "models", f"{len(sums)} files as published")


def look_at_stations(root: Path = ROOT) -> Iterator[Finding]:
    """How many stations are built, and which were not finished; a notebook builds the one it needs."""
    from fsdl_course.setup.stations import environment
    from fsdl_deploy.running import stations

    try:
        known = stations.stations(root)
    except (stations.StationError, OSError) as error:
        yield Finding("problem", "stations", str(error), "restore it with `git checkout -- infra`")
        return
    ready = {name for name, station in known.items() if environment(station).ready()}
    begun = sorted(name for name in known.keys() - ready if known[name].environment.is_dir())
    fact = f"{len(ready)} of {len(known)} are built"
    if begun:
        advice = f"the next notebook that needs one finishes it, or `make station NAME={begun[0]}`"
        yield Finding("note", "stations", f"{fact}; not finished or not up to date: {few(begun)}", advice)
    else:
        yield Finding(
            "ok", "stations", fact + "; a notebook builds the one it needs" * (len(ready) < len(known))
        )
