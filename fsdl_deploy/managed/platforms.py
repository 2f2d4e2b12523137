"""What became of the platforms and start-ups of the lecture: a list with a date and a source for each

It is ``infra/managed/platforms.toml``, of November 2026. Asks no network: a source may say more by now.
"""

import functools
import tomllib
from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from fsdl_deploy.measuring.table import Table
from fsdl_deploy.paths import ROOT

FILE = ROOT / "infra" / "managed" / "platforms.toml"
KINDS = ("cloud", "platform", "start-up")
STILL = ("sold", "renamed", "new owner")
STATUSES = (*STILL, "changed", "ended", "unknown")
_REQUIRED = ("name", "kind", "sold", "status", "now", "date", "source")


class PlatformError(ValueError):
    """The list of platforms is wrong; the message names the row and says what it lacks."""


@dataclass(frozen=True)
class Platform:
    """A row. ``date``: of the source or of what it reports, None where the source has none."""

    name: str
    kind: str
    sold: str
    status: str
    now: str
    date: date | None
    source: str

    @property
    def still(self) -> bool:
        """Whether what was sold in 2022 is still sold, by whomever and under whatever name."""
        return self.status in STILL


@functools.cache
def platforms(file: Path = FILE) -> list[Platform]:
    """All rows in the file's order. Raises PlatformError for one without a date or a source."""
    known = []
    for entry in tomllib.loads(file.read_text(encoding="utf-8")).get("platform", []):
        name = entry.get("name", "a platform")
        if missing := [field for field in _REQUIRED if not entry.get(field)]:
            raise PlatformError(f"{name} has no {missing[0]}: each row stands with its date and source")
        if unknown := sorted(entry.keys() - set(_REQUIRED)):
            raise PlatformError(f"{name}: unknown {unknown[0]}")
        for field, allowed in (("kind", KINDS), ("status", STATUSES)):
            if entry[field] not in allowed:
                raise PlatformError(f"{name}: {field} is one of {', '.join(allowed)}")
        when = None if entry["date"] == "unknown" else entry["date"]
        if when is not None and not isinstance(when, date):
            raise PlatformError(f'{name}: date is a date such as 2026-11-29, or "unknown"')
        if not str(entry["source"]).startswith("https://"):
            raise PlatformError(f"{name}: source is an address that begins with https://")
        known.append(Platform(**entry | {"date": when}))
    if twice := [name for name, count in Counter(row.name for row in known).items() if count > 1]:
        raise PlatformError(f"{twice[0]} is there twice")
    return known


def counts() -> dict[str, object]:
    """How many there are, how many still sell what they sold, of each kind, and how many changed hands."""
    known = platforms()
    return {
        "of": len(known),
        "still": sum(row.still for row in known),
        "same": sum(row.status == "sold" for row in known),
        "ended": sum(row.status == "ended" for row in known),
        "new_owner": sum(row.status == "new owner" for row in known),
        "unknown": sum(row.status == "unknown" for row in known),
        "undated": sum(row.date is None for row in known),
        "kinds": {
            kind: {
                "of": sum(row.kind == kind for row in known),
                "still": sum(row.still for row in known if row.kind == kind),
            }
            for kind in KINDS
        },
    }


def summary() -> str:
    """The counts as a sentence."""
    count = counts()
    kinds = ", ".join(f"{of['still']} of {of['of']} {kind}s" for kind, of in count["kinds"].items())
    return (
        f"{count['still']} of {count['of']} still sell what they sold in 2022 ({kinds}), "
        f"{count['same']} of these under the same name and owner"
    )


def table() -> Table:
    """The rows, for a lesson to show; sources stand in the file."""
    rows = [
        [row.name, row.kind, row.sold, row.status, row.now, row.date.isoformat() if row.date else "unknown"]
        for row in platforms()
    ]
    header = ["name", "kind", "sold in 2022", "status", "now", "on"]
    return Table(header, *rows, notes=[summary(), f"Sources: {FILE.relative_to(ROOT).as_posix()}"])
