"""A finding: what a look saw, and what to do about it."""

from dataclasses import dataclass

GIB, GB = 2**30, 10**9
AGAIN = "run `make lab`; if they stay, `make clean ALL=1` and `make lab` again"


@dataclass(frozen=True)
class Finding:
    """One line of the report. A ``problem`` stops the course, a ``note`` does not."""

    level: str  # "ok", "note" or "problem"
    subject: str
    fact: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.level:8}{self.subject:11}{self.fact}" + (f" → {self.advice}" if self.advice else "")


def few(names: list[str]) -> str:
    """The first names of a list, for a line."""
    return ", ".join(names[:3]) + (" …" if len(names) > 3 else "")
