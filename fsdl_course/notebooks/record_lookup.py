"""Records as prose quotes from them: read by name, with one sentence for what they do not hold."""

import re
from dataclasses import dataclass
from pathlib import Path

from fsdl_deploy.measuring import records

Row = dict[str, object]


class QuoteError(ValueError):
    """A figure that no record has; the message says which there are."""


@dataclass(frozen=True)
class Records:
    """The records in a folder, read when they are asked for."""

    folder: Path

    def read(self, name: str) -> dict:
        path = self.folder / f"{name}.json"
        try:
            return records.read(path)
        except FileNotFoundError:
            raise QuoteError(f"there is no record {path.name} in {self.folder.name}/") from None
        except ValueError as error:
            raise QuoteError(f"the record {path.name} cannot be read: {error}") from None


def pick(table: dict, key: str, place: str):
    """``table[key]``; QuoteError says what else there is in ``place``."""
    if key not in table:
        raise QuoteError(f"{place} has no {key!r}: it has {', '.join(map(str, table))}")
    return table[key]


def row_of(rows: list[Row], column: str, name: str) -> Row:
    """The row whose ``column`` is ``name``, or the only one that begins so; only letters and digits count."""
    words = _plain(name)
    exact = [row for row in rows if _plain(row[column]) == words]
    alike = exact or [row for row in rows if _plain(row[column]).startswith(words)]
    if not words or len(alike) != 1:
        names = ", ".join(repr(row[column]) for row in alike or rows)
        raise QuoteError(f"{column} {name!r} is {'none' if not alike else 'more than one'} of {names}")
    return alike[0]


def _plain(name: object) -> str:
    return " ".join(re.findall(r"\w+", str(name).lower()))
