"""Serverless GPUs: who offers them, and whose client for Python is still released

The offers are those of ``infra/managed/serverless_gpus.toml``, a list of one month. A client without a
release for QUIET months counts as silent: a sign that an offer has ended, no proof. Asks no network.
"""

import functools
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from fsdl_deploy.measuring.table import Table
from fsdl_deploy.paths import ROOT

FILE = ROOT / "infra" / "managed" / "serverless_gpus.toml"
QUIET = 12
_REQUIRED = ("provider", "client", "version", "released")


class OfferError(ValueError):
    """The file of offers is wrong; the message names the offer and says what it lacks."""


@dataclass(frozen=True)
class Offer:
    """A provider and its client. ``age``: months since its last release. ``lecture``: on its slide."""

    provider: str
    client: str
    version: str
    released: str
    age: int
    lecture: bool = False

    @property
    def alive(self) -> bool:
        """Whether its client was released within a year before the list."""
        return self.age < QUIET


@functools.cache
def offers(file: Path = FILE) -> list[Offer]:
    """All offers, those of the lecture first. Raises OfferError for one that is not whole."""
    document = tomllib.loads(file.read_text(encoding="utf-8"))
    if not document.get("source"):
        raise OfferError("the list has no source: say where the months are from")
    month, known = _months("the list", document.get("list")), []
    for entry in document.get("offer", []):
        name = entry.get("provider", "an offer")
        if missing := [field for field in _REQUIRED if not entry.get(field)]:
            raise OfferError(f"{name} has no {missing[0]}")
        if unknown := sorted(entry.keys() - {*_REQUIRED, "lecture"}):
            raise OfferError(f"{name}: unknown {unknown[0]}")
        if (age := month - _months(name, entry["released"])) < 0:
            raise OfferError(f"{name}: released after the list was made")
        known.append(Offer(age=age, **entry))
    return sorted(known, key=lambda offer: not offer.lecture)


def counts() -> dict[str, int]:
    """How many offers there are and live: the lecture's (``named``), and the ``others``."""
    named = [offer for offer in offers() if offer.lecture]
    others = [offer for offer in offers() if not offer.lecture]
    return {
        "named": len(named),
        "named_alive": sum(offer.alive for offer in named),
        "others": len(others),
        "others_alive": sum(offer.alive for offer in others),
    }


def table() -> Table:
    """The offers, for a lesson to show."""
    rows = [
        [
            offer.provider,
            f"{offer.client} {offer.version}",
            offer.released,
            "released" if offer.alive else "silent",
            "yes" if offer.lecture else "",
        ]
        for offer in offers()
    ]
    header = ["provider", "client for Python", "last release", f"within {QUIET} months", "on the slide"]
    month = tomllib.loads(FILE.read_text(encoding="utf-8"))["list"]
    return Table(header, *rows, notes=[f"List of {month}: {FILE.relative_to(ROOT).as_posix()}"])


def _months(name: str, text: object) -> int:
    """``2026-11`` as months, to count with."""
    match = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", str(text))
    if match is None:
        raise OfferError(f"{name}: a month is written as 2026-11, not {text!r}")
    return 12 * int(match[1]) + int(match[2])
