"""Asks for room on the disk before anything is built, and knows how much each environment takes.

``infra/sizes.json`` is a record: what ``python tasks.py everything --record`` found on a Linux machine.
Elsewhere packages differ a little, so a reserve is asked for too. Standard library only.
"""

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from fsdl_course.setup import store
from fsdl_deploy.paths import ROOT

RECORD = Path("infra") / "sizes.json"
RESERVE = 300 * 10**6  # bytes: what unpacking needs for a moment, and room for a lesson to write
MB, GB = 10**6, 10**9


@dataclass(frozen=True)
class Size:
    """What one environment takes: ``size`` in bytes, ``added`` of it not shared with the core or the stations
    before it, ``seconds`` to build it from an empty store."""

    size: int
    added: int
    seconds: float

    def sentence(self) -> str:
        return f"about {readable(self.added)} of disk, {readable_time(self.seconds)} on a fast network"


def readable(size: float) -> str:
    return f"{size / GB:.1f} GB" if size >= GB else f"{max(size / MB, 1):.0f} MB"


def readable_time(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{max(seconds, 1):.0f} s"


def sizes(root: Path = ROOT) -> dict[str, Size]:
    """The record: the core and each station by its name; {} where there is none that can be read."""
    try:
        record = json.loads((root / RECORD).read_text(encoding="utf-8"))
        return {
            name: Size(int(size["size"]), int(size["added"]), float(size["seconds"]))
            for name, size in record["environments"].items()
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def shortage(
    names: Collection[str], root: Path = ROOT, usage: Callable = shutil.disk_usage, environ=os.environ
) -> str | None:
    """A sentence where the disk has no room for the environments of these names; None where it has, or where
    nobody knows how much they take."""
    known = sizes(root)
    needed = [known[name] for name in names if name in known]
    if not needed:
        return None
    folder = store.place(root, environ)
    shared = store.same_disk(folder, root)
    fetched = in_store(folder, linked="core" in names)
    new = max(sum(size.added for size in needed) - fetched, 0)
    demands = {root: new} if shared else {root: sum(size.size for size in needed), folder: new}
    for place, demand in demands.items():
        free = usage(store.existing(place)).free
        if free < demand + RESERVE:
            needed_room = readable(demand + RESERVE)
            return (
                f"The disk of {place} has {readable(free)} free and {needed_room} are needed: "
                "free some, then run the same command again."
            )
    return None


def in_store(folder: Path, linked: bool) -> int:
    """Bytes in the store that need not be fetched: those to which no environment links yet, because a set-up
    was interrupted; with ``linked`` all, because another clone has the same core."""
    total = 0
    for path, _, files in os.walk(folder):
        for name in files:
            with contextlib.suppress(FileNotFoundError):  # another set-up is at work there
                status = os.lstat(os.path.join(path, name))
                total += _bytes(status) if linked or status.st_nlink == 1 else 0
    return total


def _bytes(status: os.stat_result) -> int:
    return getattr(status, "st_blocks", -(-status.st_size // 512)) * 512  # Windows has no blocks


def taken(folders: Iterable[Path], apart: Iterable[str] = ("stations", store.OWN)) -> list[tuple[int, int]]:
    """(bytes on disk, bytes that no folder before it holds too) of each folder; links of one file count once.

    What lies in a folder's own sub-folders ``apart`` is not counted."""
    seen: set[tuple[int, int]] = set()
    result = []
    for folder in folders:
        own: dict[tuple[int, int], int] = {}
        for path, inside, files in os.walk(folder):
            if Path(path) == folder:
                inside[:] = [name for name in inside if name not in apart]
            for name in files:
                status = os.lstat(os.path.join(path, name))
                own[status.st_dev, status.st_ino] = _bytes(status)
        result.append((sum(own.values()), sum(size for file, size in own.items() if file not in seen)))
        seen |= own.keys()
    return result
