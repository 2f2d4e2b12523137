"""The store: every package once, unpacked, and linked from there into each environment of each clone.

A folder with uv's cache, npm's, and the wheel of uv itself. An environment on the same disk takes no room
for what the store has, because its files are hard links to it. Whoever copies the folder to another machine
of the same kind sets up the course there without a network. Standard library only: set-up runs it before
anything is installed.
"""

import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from fsdl_course.setup.failures import SetupError
from fsdl_deploy.paths import ROOT

VARIABLE = "FSDL_STORE"
OWN = "store"  # inside .venv, where the user's cache lies on another disk than the course


def place(root: Path = ROOT, environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of the store: the one that FSDL_STORE or UV_CACHE_DIR names, else in the user's cache.

    Links do not reach another disk: where the user's cache lies on one, the store is ``.venv/store``.
    """
    if named := environ.get(VARIABLE, "").strip() or environ.get("UV_CACHE_DIR", "").strip():
        return root / os.path.expanduser(named)  # a relative one is the same wherever it is asked from
    shared = users_cache(environ)
    own = root / ".venv" / OWN
    return shared if shared and not own.is_dir() and same_disk(shared, root) else own


def users_cache(environ: Mapping[str, str] = os.environ, system: str = sys.platform) -> Path | None:
    """Where this system keeps what can be downloaded again; None where nothing can be written there."""
    home = environ.get("HOME") or environ.get("USERPROFILE")
    folders = {"win32": environ.get("LOCALAPPDATA"), "darwin": home and f"{home}/Library/Caches"}
    folder = folders.get(system, environ.get("XDG_CACHE_HOME") or (home and f"{home}/.cache"))
    if not folder or not Path(folder).is_absolute():
        return None
    cache = Path(folder) / "fsdl-deploy"
    return cache if os.access(existing(cache), os.W_OK) else None


def existing(path: Path) -> Path:
    """The nearest folder above ``path`` that is there, or ``path`` itself."""
    return next(folder for folder in (path, *path.parents) if folder.exists())


def same_disk(first: Path, other: Path) -> bool:
    """Whether files of both folders, there or not yet, can be links of each other."""
    return existing(first).stat().st_dev == existing(other).stat().st_dev


def variables(folder: Path) -> dict[str, str]:
    """What tells uv and npm to use the store."""
    return {"UV_CACHE_DIR": str(folder), "npm_config_cache": str(folder / "npm")}


def ready(folder: Path) -> Path:
    """The folder, made if it is missing and tidied; SetupError where nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            tidy(folder)
    except OSError as error:
        advice = f"{VARIABLE} may name another folder"
        raise SetupError(f"Packages cannot be kept in {folder} ({error.strerror}): {advice}.") from None
    return folder


def tidy(folder: Path, older_than: float = 3600) -> None:
    """Remove what an interrupted uv left half unpacked; what is young (s) may be in use by another clone."""
    for path in folder.glob(".tmp*"):
        with contextlib.suppress(FileNotFoundError):  # its uv has just finished
            if time.time() - path.stat().st_mtime > older_than:
                shutil.rmtree(path, ignore_errors=True)


def wheels(folder: Path) -> Path:
    """Where the wheel of uv lies, which pip installs first."""
    return folder / "wheels"
