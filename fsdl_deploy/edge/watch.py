"""What became of the four names that the lecture told to watch: a list with a source for each

It is ``infra/edge/watch.toml``, of November 2026. Asks no network: a source may say more by now.
"""

import re
import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from fsdl_deploy.measuring.table import Table
from fsdl_deploy.paths import ROOT

FILE = ROOT / "infra" / "edge" / "watch.toml"
STATUSES = ("grew", "renamed", "changed", "ended")
_REQUIRED = ("name", "was", "status", "now", "package", "released", "date", "source", "here")


class WatchError(ValueError):
    """The list is wrong; the message names the row and says what it lacks."""


@dataclass(frozen=True)
class Watched2022:
    """A row. ``date``: of the source, None where it has none. ``released``: month of the package's last
    release.
    """

    name: str
    was: str
    status: str
    now: str
    package: str
    released: str
    date: date | None
    source: str
    here: str


def names(file: Path = FILE) -> list[Watched2022]:
    """All rows in the file's order. Raises WatchError for one without a date or a source."""
    rows = []
    for entry in tomllib.loads(file.read_text(encoding="utf-8")).get("name", []):
        name = entry.get("name", "a row")
        if missing := [field for field in _REQUIRED if not entry.get(field)]:
            raise WatchError(f"{name} has no {missing[0]}: each row stands with its date and source")
        if unknown := sorted(entry.keys() - set(_REQUIRED)):
            raise WatchError(f"{name}: unknown {unknown[0]}")
        if entry["status"] not in STATUSES:
            raise WatchError(f"{name}: status is one of {', '.join(STATUSES)}")
        if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", str(entry["released"])):
            raise WatchError(f"{name}: released is a month such as 2026-11")
        when = None if entry["date"] == "unknown" else entry["date"]
        if when is not None and not isinstance(when, date):
            raise WatchError(f'{name}: date is a date such as 2026-11-29, or "unknown"')
        if not str(entry["source"]).startswith("https://"):
            raise WatchError(f"{name}: source is an address that begins with https://")
        rows.append(Watched2022(**entry | {"date": when}))
    return rows


def counts() -> dict[str, int]:
    """How many there are, and how many have ended."""
    rows = names()
    return {"of": len(rows), "ended": sum(row.status == "ended" for row in rows)}


def table() -> Table:
    """The rows, for a lesson to show; sources stand in the file."""
    header = ["name", "in 2022", "status", "now", "package", "last release", "source dated"]
    rows = [
        [
            r.name,
            r.was,
            r.status,
            r.now,
            r.package,
            r.released,
            r.date.isoformat() if r.date else "no date on it",
        ]
        for r in names()
    ]
    return Table(header, *rows, notes=[f"Sources: {FILE.relative_to(ROOT).as_posix()}"])
