"""The rules of a course, ``policy.toml``: deadlines, late days, weights, which of two hand-ins counts.

An instructor writes it and it is only read; a word in it that is not known is refused, not passed over. Knows
nothing of students.
"""

import tomllib
from dataclasses import dataclass, field, fields
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

LAST, BEST, IN_TIME = "last", "best", "last before deadline"
COUNTS = (LAST, BEST, IN_TIME)
TEMPLATE = """\
# The rules of the course. `fsdl-course totals` reads this file and never writes it.
time_zone = "UTC"       # of deadlines below, and of dates that name none: "Europe/Berlin", "America/Chicago"
counts = "last"         # of several hand-ins of a lab: "last", "best", "last before deadline"
grace_minutes = 10      # that much after a deadline is not late
late_days = 3           # free days of each student, for all labs together; each day begun counts
late_penalty = 10       # percent of a lab's points for each day beyond them
late_cap = 50           # at most so many percent are taken
latest_days = 7         # what comes later than that counts nothing
drop_lowest = 0         # so many of a student's labs do not count, those with the lowest share of points
decimals = 2            # of points and percent, rounded half up

"""


class CoursePolicyError(ValueError):
    """The rules cannot be used; the message names the line and says what is allowed."""


@dataclass(frozen=True)
class LabRules:
    """One lab: ``deadline`` None: it is never late. ``canvas``, ``moodle``: its column there."""

    deadline: datetime | None = None
    weight: Fraction = Fraction(1)
    canvas: str = ""
    moodle: str = ""


@dataclass(frozen=True)
class CoursePolicy:
    """All rules; percent are of a lab's points, days are of 24 hours."""

    time_zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    counts: str = LAST
    grace_minutes: Fraction = Fraction(0)
    late_days: int = 0
    late_penalty: Fraction = Fraction(0)
    late_cap: Fraction = Fraction(100)
    latest_days: Fraction | None = None
    drop_lowest: int = 0
    decimals: int = 2
    labs: dict[str, LabRules] = field(default_factory=dict)

    def of(self, lab: str) -> LabRules:
        return self.labs.get(lab, LabRules())

    def moment(self, text: str) -> datetime:
        """A date in ISO 8601, in the course's time zone where it names none; ValueError if it is no date."""
        return self.placed(datetime.fromisoformat(text.strip()))

    def placed(self, moment: datetime) -> datetime:
        return moment if moment.tzinfo else moment.replace(tzinfo=self.time_zone)


def template(labs: list[str]) -> str:
    """A policy to start from, with a table for each lab."""
    parts = [f"[labs.{lab}]\n# deadline = 2026-10-12T23:59:00\nweight = 1\n" for lab in labs]
    return TEMPLATE + "\n".join(parts)


def read(path: Path) -> CoursePolicy:
    """The rules in ``path``; CoursePolicyError says what is wrong with them."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise CoursePolicyError(f"{path} does not exist: `fsdl-course totals --start` writes one") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CoursePolicyError(f"{path}: {error}") from None
    try:
        zone = ZoneInfo(str(content.pop("time_zone", "UTC")))
    except (KeyError, ValueError, OSError) as error:
        raise CoursePolicyError(f"{path}: time_zone is a name such as Europe/Berlin: {error}") from None
    labs = content.pop("labs", {})
    _known(path, "", content, {each.name for each in fields(CoursePolicy)} - {"labs", "time_zone"})
    if content.get("counts", LAST) not in COUNTS:
        raise CoursePolicyError(f"{path}: counts is one of {', '.join(COUNTS)}, not {content['counts']!r}")
    rules = {
        name: value if name == "counts" else _number(path, name, value) for name, value in content.items()
    }
    for name in ("late_days", "drop_lowest", "decimals"):
        if name in rules:
            if rules[name].denominator != 1:
                raise CoursePolicyError(f"{path}: {name} is a whole number, not {content[name]}")
            rules[name] = int(rules[name])
    policy = CoursePolicy(zone, **rules)
    for name, lab in labs.items():
        policy.labs[name] = _lab(path, name, lab, policy)
    return policy


def _lab(path: Path, name: str, content: dict, policy: CoursePolicy) -> LabRules:
    place = f"labs.{name}."
    if not isinstance(content, dict):
        raise CoursePolicyError(f"{path}: labs.{name} is a table: [labs.{name}]")
    _known(path, place, content, {each.name for each in fields(LabRules)})
    deadline = content.get("deadline")
    try:
        if deadline is not None:
            deadline = deadline if isinstance(deadline, datetime) else datetime.fromisoformat(deadline)
            deadline = policy.placed(deadline)
    except (TypeError, ValueError):
        raise CoursePolicyError(
            f"{path}: {place}deadline is a date and a time such as 2026-10-12T23:59:00, not {deadline}"
        ) from None
    weight = _number(path, f"{place}weight", content.get("weight", 1))
    return LabRules(deadline, weight, str(content.get("canvas", "")), str(content.get("moodle", "")))


def _known(path: Path, place: str, content: dict, names: set[str]) -> None:
    if unknown := sorted(set(content) - names):
        raise CoursePolicyError(
            f"{path}: {place}{unknown[0]} is no rule: they are {', '.join(sorted(names))}"
        )


def _number(path: Path, name: str, value: object) -> Fraction:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
        raise CoursePolicyError(f"{path}: {name} is a number, 0 or more, not {value!r}")
    return Fraction(str(value))
