"""The lecture's sentences as a list of their own, and which of them the course says nothing of

They stand in ``notebooks/lecture.toml`` by number. Knows no rule and no verdict: those are in the rows of
``notebooks/claims.toml``, and a sentence without a row of its number is a problem.
"""

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

FILE = Path("notebooks") / "lecture.toml"


def sentences(root: Path) -> dict[int, str]:
    """The lecture's words by number; none where a course has no such list."""
    path = root / FILE
    if not path.is_file():
        return {}
    listed = tomllib.loads(path.read_text(encoding="utf-8"))["sentence"]
    return {each["number"]: each["quote"] for each in listed}


def unplaced(known: Iterable, root: Path) -> Iterator[str]:
    """A line for each sentence of the lecture that no claim in ``known`` has, or has in other words."""
    quotes = {claim.number: claim.quote for claim in known}
    for number, quote in sentences(root).items():
        if number not in quotes:
            yield f"claim {number} is in no row: add one for “{quote}” to notebooks/claims.toml"
        elif quotes[number] != quote:
            yield f"claim {number}: its row has other words than {FILE.as_posix()}, which says “{quote}”"
