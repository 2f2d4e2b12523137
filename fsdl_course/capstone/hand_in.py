"""What a student handed in for lab 10: ``capstone.toml``, read and judged before anything is started."""

import os
import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path

RUNTIMES = ("python", "node", "java")
LEAST_MB, MOST_MB = 64, 1024
MOST_BYTES, MOST_FILES, MOST_TOML = 64 * 2**20, 2000, 2**16


class HandInError(ValueError):
    """The folder cannot be graded; the message says what to change."""


@dataclass(frozen=True)
class HandIn:
    """A folder with its start command, runtime and rented memory in MB (of 2**20 bytes)."""

    folder: Path
    start: tuple[str, ...]
    runtime: str
    memory_mb: int


def read(folder: Path) -> HandIn:
    """What ``folder/capstone.toml`` says. Raises HandInError."""
    file = folder / "capstone.toml"
    if not file.is_file() or file.is_symlink():  # a pipe would be waited for without end
        raise HandInError(f"there is no capstone.toml in {folder.name}: CONTRACT.md shows one")
    try:
        with file.open("rb") as opened:
            document = tomllib.loads(opened.read(MOST_TOML).decode("utf-8-sig"))
    except OSError as error:
        raise HandInError(f"capstone.toml cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise HandInError(f"capstone.toml is no TOML: {error}") from None
    service, needs = document.get("service"), document.get("needs")
    if not isinstance(service, dict) or not isinstance(needs, dict):
        raise HandInError("capstone.toml needs the tables [service] and [needs]")
    start, runtime, memory = service.get("start"), needs.get("runtime"), needs.get("memory_mb")
    if not isinstance(start, list) or not start or not all(isinstance(word, str) and word for word in start):
        raise HandInError('service.start is a list of words, such as ["python3", "service.py"]')
    if any("\0" in word for word in start) or len(start) > 64:
        raise HandInError("service.start has too many words, or one with a zero byte")
    if runtime not in RUNTIMES:
        raise HandInError(f"needs.runtime is one of {', '.join(RUNTIMES)}")
    if not isinstance(memory, int) or isinstance(memory, bool) or not LEAST_MB <= memory <= MOST_MB:
        lacks = "is missing: it " if memory is None else ""
        raise HandInError(f"needs.memory_mb {lacks}is a whole number from {LEAST_MB} to {MOST_MB}")
    return HandIn(folder, tuple(start), runtime, memory)


def copy(hand_in: HandIn, to: Path) -> None:
    """The folder's plain files at ``to``, readable by everyone; links are left out. Raises HandInError."""
    try:
        _copy(hand_in.folder, to)
    except (OSError, RecursionError) as error:  # too deep, no right to read, a name that is none here
        raise HandInError(f"a file of the folder cannot be copied: {error}"[:300]) from None


def _copy(folder: Path, to: Path) -> None:
    size = count = 0
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not Path(place, name).is_symlink()]
        for name in names:
            path = Path(place, name)
            if path.is_symlink() or not path.is_file():
                continue
            size, count = size + path.stat().st_size, count + 1
            if size > MOST_BYTES or count > MOST_FILES:
                raise HandInError(f"the folder has more than {MOST_BYTES >> 20} MiB or {MOST_FILES:,} files")
            target = to / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            target.chmod(0o755)
    for directory in (to, *(path for path in to.rglob("*") if path.is_dir())):
        directory.chmod(0o755)
