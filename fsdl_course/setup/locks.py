"""Resolves every ``requirements.in`` and ``package.json`` of the course into its lock.

From the public index alone: other sources may lack the files of other platforms, and a constraint of this
machine is nobody else's.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from fsdl_course.setup import environment, installer, sources
from fsdl_deploy.paths import ROOT

UV = ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-emit-package", "torch"]
UV += ["--override", "infra/overrides.txt", "--custom-compile-command", "make lock", "--quiet"]


def lock(python: Path, words: Sequence[str] = (), root: Path = ROOT) -> int:
    """Write the locks anew with the uv of ``python``: all, or those of the stations that ``words`` name.

    Words that begin with ``-`` are uv's options; ``core`` is the lock of the core. Returns the status of the
    first that fails, or 0.
    """
    options = [word for word in words if word.startswith("-")]
    names = [word for word in words if not word.startswith("-")]
    environ = public_environ(python)
    files = [Path("requirements.in"), *_in_infra(root, "requirements.in"), *_in_infra(root, "package.json")]
    known = {source.parent.name or "core" for source in files}
    if unknown := [name for name in names if name not in known]:
        print(f"No lock of {unknown[0]!r}; there are: {', '.join(sorted(known))}", file=sys.stderr)
        return 2
    for source in files:
        if names and (source.parent.name or "core") not in names:
            continue
        print(source.as_posix())
        resolve = _npm(source) if source.suffix == ".json" else _uv(source, options)
        if status := subprocess.call([str(python), "-m", "uv", *resolve], cwd=root, env=environ):
            return status
    return 0


def public_environ(python: Path) -> dict[str, str]:
    """The environment in which the uv of ``python`` resolves from the public index alone."""
    passed_over = (*sources.SOURCES, "constraint")
    settings = installer.pip_settings(python)
    settings = {name: value for name, value in settings.items() if name not in passed_over}
    return dict(installer.clean_environ(python), **sources.uv_variables(settings)[0])


def _in_infra(root: Path, name: str) -> list[Path]:
    paths = (path.relative_to(root) for path in (root / "infra").rglob(name))
    return sorted(path for path in paths if not any(part.startswith(".") for part in path.parts))


def _uv(source: Path, options: Sequence[str]) -> list[str]:
    return ["pip", "compile", *UV, *options, source.as_posix(), "-o", source.with_suffix(".lock").as_posix()]


def _npm(source: Path) -> list[str]:
    folder = str(source.parent)
    node = ["run", "--no-project", "--with-requirements", os.path.join(folder, "requirements.lock")]
    npm = ["python", "-c", environment.NPM, "install", "--package-lock-only", *environment.NPM_OPTIONS]
    return [*node, *npm, "--omit-lockfile-registry-resolved", "--prefix", folder]
