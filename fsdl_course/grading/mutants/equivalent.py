"""Mutants that are no faults, each with the reason that somebody found when reading it

``solutions/labNN/equivalent.toml`` lists them. An entry's ``mutant`` changes with any line of the solution's
function, so that an entry of a solution that was rewritten counts no longer, and a test says so.
"""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from fsdl_deploy.paths import ROOT

FIELDS = {"question", "mutant", "change", "reason"}


class EquivalentsError(ValueError):
    """The list cannot be used; the message says what to do."""


@dataclass(frozen=True)
class Equivalent:
    """A mutant with the same values as the solution, or others that are as right, and why."""

    question: str
    mutant: str
    change: str
    reason: str


def equivalents(lab: str, root: Path = ROOT) -> list[Equivalent]:
    """The reviewed list of a lab; EquivalentsError if it cannot be read or an entry lacks something."""
    path = root / "solutions" / lab / "equivalent.toml"
    if not path.exists():
        return []
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("equivalent", [])
    except tomllib.TOMLDecodeError as error:
        raise EquivalentsError(f"{path} is no TOML: {error}") from None
    for entry in entries:
        if set(entry) != FIELDS or not all(isinstance(text, str) and text for text in entry.values()):
            raise EquivalentsError(
                f"{path}: each [[equivalent]] has {', '.join(sorted(FIELDS))}, not {entry}"
            )
        if not re.fullmatch("[0-9a-f]{12}", entry["mutant"]):
            raise EquivalentsError(f"{path}: mutant = '{entry['mutant']}' is not 12 hexadecimal digits")
    return [Equivalent(**entry) for entry in entries]
