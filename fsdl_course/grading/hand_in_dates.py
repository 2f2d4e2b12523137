"""When something was handed in, as far as can be known, and where it is known from.

Only what a platform or the instructor's machine wrote counts: a student's own zip, and names of files in it,
say what the student likes. Knows nothing of deadlines.
"""

import re
import struct
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from fsdl_course.grading.hand_in_names import NBGRADER, OF_NBGRADER

STAMP = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d[:.]\d\d[:.]\d\d")


@dataclass(frozen=True)
class HandInDate:
    """``text`` in ISO 8601, with an offset where it is known, else in the course's time zone; "": unknown."""

    text: str = ""
    source: str = ""

    def seconds(self) -> float:
        """For sorting: seconds since 1970, with this machine's time zone where the date has none."""
        return datetime.fromisoformat(self.text).timestamp() if self.text else 0.0


def of_file(path: Path, name: str = "") -> HandInDate:
    """nbgrader's stamp, in the name or beside the file; else when the file was last changed."""
    for part in PurePosixPath(name).parts[:-1]:
        if match := NBGRADER.fullmatch(part):
            return HandInDate(_utc(match["when"]), "nbgrader's name")
    try:
        with path.with_name(OF_NBGRADER).open(encoding="ascii") as file:
            if match := STAMP.match(file.readline(64)):
                return HandInDate(_utc(match[0]), f"nbgrader's {OF_NBGRADER}")
    except (OSError, ValueError):
        pass
    changed = datetime.fromtimestamp(int(path.stat().st_mtime), UTC)
    return HandInDate(changed.isoformat(), "the file's time")


def of_entry(entry: zipfile.ZipInfo) -> HandInDate:
    """What a zip says: in UTC where its maker wrote that too, else a time without a zone."""
    if (seconds := _universal(entry.extra)) is not None:
        return HandInDate(datetime.fromtimestamp(seconds, UTC).isoformat(), "the zip's time")
    try:
        return HandInDate(datetime(*entry.date_time).isoformat(), "the zip's time, which names no time zone")
    except ValueError:  # month 0: its maker wrote none
        return HandInDate()


def _universal(extra: bytes) -> int | None:
    """The time of change in Info-ZIP's field "UT" (0x5455), which most programs write; None without it."""
    while len(extra) >= 4:
        kind, size = struct.unpack("<HH", extra[:4])
        if kind == 0x5455 and size >= 5 and len(extra) >= 9 and extra[4] & 1:
            return struct.unpack("<i", extra[5:9])[0]
        extra = extra[4 + size :]
    return None


def _utc(stamp: str) -> str:
    return datetime.fromisoformat(stamp.replace(".", ":")).replace(tzinfo=UTC).isoformat()
