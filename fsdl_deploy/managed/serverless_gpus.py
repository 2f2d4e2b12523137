"""Serverless GPUs: who offers them, and whose client for Python is still released

The offers are those of ``infra/managed/serverless_gpus.toml``, a list of one month. A client without a
release for QUIET months counts as silent: a sign that an offer has ended, no proof. Asks no network.
"""

import functools
from dataclasses import dataclass
from pathlib import Path

from fsdl_deploy import dated_rows
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.paths import ROOT

FILE = ROOT / "infra" / "managed" / "serverless_gpus.toml"
QUIET = 12
_LIST = {"list": dated_rows.month, "source": dated_rows.text, "offer": lambda value: ""}
_OFFER = {
    "provider": dated_rows.text,
    "client": dated_rows.text,
    "version": dated_rows.text,
    "released": dated_rows.month,
}


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


def offers(file: Path = FILE) -> list[Offer]:
    """All offers, those of the lecture first. Raises OfferError for one that is not whole."""
    return _list(file)[1]


@functools.cache
def _list(file: Path) -> tuple[str, list[Offer]]:
    """The month of the list, and its offers."""
    content, known = dated_rows.document(file, OfferError), []
    dated_rows.check(
        "the list", content, _LIST, error=OfferError, why="say of which month it is, and where from"
    )
    for name, row in dated_rows.listed(content, "offer", "provider", OfferError):
        dated_rows.check(name, row, _OFFER, {"lecture": dated_rows.flag}, OfferError)
        age = dated_rows.months(content["list"]) - dated_rows.months(row["released"])
        if age < 0:
            raise OfferError(f"{name}: released after the list was made")
        known.append(Offer(age=age, **row))
    return content["list"], sorted(known, key=lambda offer: not offer.lecture)


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
    month, known = _list(FILE)
    rows = [
        [
            offer.provider,
            f"{offer.client} {offer.version}",
            offer.released,
            "released" if offer.alive else "silent",
            "yes" if offer.lecture else "",
        ]
        for offer in known
    ]
    header = ["provider", "client for Python", "last release", f"within {QUIET} months", "on the slide"]
    return Table(header, *rows, notes=[f"List of {month}: {FILE.relative_to(ROOT).as_posix()}"])
