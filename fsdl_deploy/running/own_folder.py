"""Temporary folders that name the process they belong to, so that the next one can remove what it has left

A notebook that is killed removes nothing. Knows nothing of what lies in such a folder.
"""

import os
import re
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

import psutil


def own_folder(kind: str) -> tempfile.TemporaryDirectory:
    """A new temporary folder ``fsdl-KIND-PID-…`` of this process, which goes with its ``cleanup()``.

    Those of the same kind whose processes are dead are removed before.
    """
    sweep(kind)
    prefix = f"fsdl-{kind}-{os.getpid()}-"
    return tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True)


def sweep(kind: str) -> None:
    """Remove this user's folders of a kind whose processes are dead, and end what still writes there."""
    for folder in Path(tempfile.gettempdir()).glob(f"fsdl-{kind}-*"):
        owner = re.fullmatch(rf"fsdl-{kind}-(\d+)-\w+", folder.name)
        if owner and not psutil.pid_exists(int(owner[1])) and _ours(folder):
            _end_writers(folder)
            shutil.rmtree(folder, ignore_errors=True)


def _ours(folder: Path) -> bool:
    with suppress(OSError):  # another process may have removed it
        return (
            folder.is_dir() and not folder.is_symlink() and (os.name == "nt" or _user(folder) == os.getuid())
        )
    return False


def _user(folder: Path) -> int:
    return folder.stat().st_uid


def _end_writers(folder: Path) -> None:
    """SIGKILL this user's processes with a file of the folder open to write, where the system tells."""
    inside = f"{folder}{os.sep}"
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            writes = (file.path for file in process.open_files() if getattr(file, "mode", "r") != "r")
            if any(path.startswith(inside) for path in writes):
                process.kill()
