"""What a student handed in for lab 10: ``capstone.toml``, read and judged before anything is started."""

import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path

RUNTIMES = ("python", "node", "java")
LEAST_MB, MOST_MB = 64, 1024
MOST_BYTES, MOST_FILES = 64 * 2**20, 2000


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
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError:
        raise HandInError(f"there is no capstone.toml in {folder.name}: CONTRACT.md shows one") from None
    except ValueError as error:
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
        raise HandInError(f"needs.memory_mb is a whole number from {LEAST_MB} to {MOST_MB}")
    return HandIn(folder, tuple(start), runtime, memory)


def copy(hand_in: HandIn, to: Path) -> None:
    """The folder's plain files at ``to``, readable by everyone; links are left out. Raises HandInError."""
    size = count = 0
    for path in hand_in.folder.rglob("*"):
        if path.is_symlink() or not path.is_file():
            continue
        if any(parent.is_symlink() for parent in path.parents if parent.is_relative_to(hand_in.folder)):
            continue
        size, count = size + path.stat().st_size, count + 1
        if size > MOST_BYTES or count > MOST_FILES:
            raise HandInError(f"the folder has more than {MOST_BYTES >> 20} MiB or {MOST_FILES:,} files")
        target = to / path.relative_to(hand_in.folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        target.chmod(0o755)
    for folder in (to, *(path for path in to.rglob("*") if path.is_dir())):
        folder.chmod(0o755)
