"""What became of the platforms and start-ups of the lecture: a list with a date and a source for each

It is ``infra/managed/platforms.toml``, of November 2026. Asks no network: a source may say more by now.
"""

import functools
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from fsdl_deploy import dated_rows
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.paths import ROOT

FILE = ROOT / "infra" / "managed" / "platforms.toml"
KINDS = ("cloud", "platform", "start-up")
STILL = ("sold", "renamed", "new owner")
STATUSES = (*STILL, "changed", "ended", "unknown")
_FIELDS = {
    "name": dated_rows.text,
    "kind": dated_rows.choice(KINDS),
    "sold": dated_rows.text,
    "status": dated_rows.choice(STATUSES),
    "now": dated_rows.text,
    "date": dated_rows.or_unknown(dated_rows.day),
    "source": dated_rows.address,
}


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
    """All rows in the file's order. Raises PlatformError for one that is not whole, or there twice."""
    known = []
    for name, row in dated_rows.listed(
        dated_rows.document(file, PlatformError), "platform", "name", PlatformError
    ):
        dated_rows.check(name, row, _FIELDS, error=PlatformError)
        when = None if row["date"] == dated_rows.UNKNOWN else row["date"]
        known.append(Platform(**row | {"date": when}))
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
        [
            row.name,
            row.kind,
            row.sold,
            "still sold" if row.status == "sold" else row.status,
            row.now,
            row.date.isoformat() if row.date else "unknown",
        ]
        for row in platforms()
    ]
    header = ["name", "kind", "sold in 2022", "status", "now", "on"]
    return Table(header, *rows, notes=[summary(), f"Sources: {FILE.relative_to(ROOT).as_posix()}"])
