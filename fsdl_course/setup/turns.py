"""Builders of one environment take turns: a lock file that the system lets go of, however its holders end.

Standard library only: set-up runs it before anything is installed.
"""

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from fsdl_course.setup.failures import SetupError

LOCK = "fsdl-deploy.lock"  # not .lock: that one is uv's own
KEPT = frozenset({LOCK, "stations", "store"})  # what stays when a half-made environment is thrown away
WAIT_SECONDS = 3600  # for another set-up to end


def empty(folder: Path, keep=KEPT) -> None:
    """Remove what a half-made environment left, but not its lock nor the stations inside it."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name not in keep:
            remove(path)


def remove(path: Path) -> None:
    """Remove a file or a folder; of a link the link only, since what it leads to is somebody else's."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remove_environment(folder: Path) -> None:
    """Remove an environment, but not under the feet of a set-up."""
    if folder.is_dir() and not folder.is_symlink():
        with locked(folder):
            empty(folder, keep={LOCK})
    remove(folder)


@contextlib.contextmanager
def locked(folder: Path, say: Callable[[str], None] = print, wait: float = WAIT_SECONDS) -> Iterator[int]:
    """Hold the lock file in ``folder``. The system lets go of it when its holders end, however they end."""
    deadline, announced = time.monotonic() + wait, False
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            if _try_lock(handle) and _same_file(handle, folder / LOCK):
                yield handle
                return
        finally:
            os.close(handle)
        if time.monotonic() > deadline:
            raise SetupError(
                f"Another set-up has held {folder} for {wait:.0f} s: end it, then run this again."
            )
        if not announced:
            say("  another set-up is at work here: waiting for it")
            announced = True
        time.sleep(0.2)


def _same_file(handle: int, path: Path) -> bool:
    """Whether the locked file is still the one at ``path``: ``clean`` may have removed it."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except OSError:
        return False


def _try_lock(handle: int) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
