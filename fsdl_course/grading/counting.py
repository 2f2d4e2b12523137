"""Which hand-in of a lab counts, how late it is, and what is taken for that: one student, all labs.

All arithmetic is in fractions: points are rounded once, where they are shown. Knows nothing of files.
"""

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from fsdl_course.grading.points import most, total, waiting
from fsdl_course.grading.policy import BEST, IN_TIME, CoursePolicy, LabRules

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Ruling:
    """What an instructor decided for one student and lab, against the rules; None or "": nothing.

    ``points`` are final, ``deadline`` is this student's own, ``counts`` is the file of the hand-in that does.
    """

    points: Fraction | None = None
    excused: bool = False
    deadline: datetime | None = None
    handed_in: datetime | None = None
    counts: str = ""
    note: str = ""


@dataclass(frozen=True)
class HandInAttempt:
    """One hand-in: its result, when it came (None: nothing says so), days begun since the deadline."""

    result: dict
    moment: datetime | None
    late: int

    def order(self) -> tuple:
        """Later is larger; of the same moment, the file that is called as the lab."""
        since = self.moment or datetime.min.replace(tzinfo=UTC)
        return since, self.result["student"] == self.result["person"], self.result["origin"]


@dataclass(frozen=True)
class CountedLab:
    """What a lab is worth to a student, and why: points after all rules, of ``most``."""

    lab: str
    most: Fraction
    earned: Fraction = Fraction(0)
    points: Fraction = Fraction(0)
    late: int = 0  # days
    free: int = 0  # of them, taken from the student's own
    attempt: HandInAttempt | None = None
    attempts: int = 0
    waiting: int = 0
    excused: bool = False
    dropped: bool = False
    why: str = ""

    @property
    def share(self) -> Fraction:
        return self.points / self.most if self.most else Fraction(0)


def attempts_of(
    results: list[dict], rules: LabRules, policy: CoursePolicy, ruling: Ruling
) -> list[HandInAttempt]:
    """A student's hand-ins of a lab, the first one first."""
    deadline, attempts = ruling.deadline or rules.deadline, []
    for result in results:
        moment = policy.moment(result["handed_in"]) if result.get("handed_in") else None
        if ruling.handed_in and (not ruling.counts or result["origin"] == ruling.counts):
            moment = ruling.handed_in
        attempts.append(HandInAttempt(result, moment, days_late(moment, deadline, policy)))
    return sorted(attempts, key=HandInAttempt.order)


def days_late(moment: datetime | None, deadline: datetime | None, policy: CoursePolicy) -> int:
    """Days of 24 hours begun since the deadline; 0 within the grace, or where either is not known."""
    if moment is None or deadline is None:
        return 0
    # In UTC: dates of one zone are subtracted by the clock on the wall, which is turned back in autumn.
    over = moment.astimezone(UTC) - deadline.astimezone(UTC)
    grace = timedelta(minutes=float(policy.grace_minutes))
    return math.ceil(over / DAY) if over > max(grace, timedelta(0)) else 0


def count(
    lab: str, of_most: Fraction, results: list[dict], policy: CoursePolicy, ruling: Ruling, free: int
) -> CountedLab:
    """One lab of one student who has ``free`` late days left."""
    rules = policy.of(lab)
    attempts = attempts_of(results, rules, policy, ruling)
    readable = [attempt for attempt in attempts if not attempt.result["problem"]] or attempts
    worth = [_worth(lab, of_most, attempt, policy, free) for attempt in readable]
    chosen, why = _chosen(worth, policy, ruling)
    if chosen is None:
        chosen = CountedLab(lab, of_most)
    if ruling.points is not None:
        chosen = replace(chosen, points=ruling.points, free=0, waiting=0)
        why += "; points by the instructor" if why else "points by the instructor"
    if ruling.deadline:
        why += "; with a deadline of their own"
    if ruling.handed_in:
        why += "; its date is the instructor's"
    why += f"; {ruling.note}" if ruling.note else ""
    if ruling.excused:
        chosen, why = replace(chosen, excused=True, free=0), f"excused; {ruling.note}".rstrip("; ")
    return replace(chosen, attempts=len(attempts), why=why.lstrip("; "))


def _worth(
    lab: str, of_most: Fraction, attempt: HandInAttempt, policy: CoursePolicy, free: int
) -> CountedLab:
    """What an attempt would be worth if it counted."""
    earned = Fraction(str(total(attempt.result)))
    used = min(free, attempt.late)
    percent = min(policy.late_cap, policy.late_penalty * (attempt.late - used))
    if policy.latest_days is not None and attempt.late > policy.latest_days:
        percent, used = Fraction(100), 0
    points = earned * (100 - min(percent, 100)) / 100
    return CountedLab(
        lab, of_most, earned, points, attempt.late, used, attempt, waiting=waiting(attempt.result)
    )


def _chosen(worth: list[CountedLab], policy: CoursePolicy, ruling: Ruling) -> tuple[CountedLab | None, str]:
    """The attempt that counts, and why in a few words; (None, …) if there is none."""
    if not worth:
        return None, "nothing handed in"
    if ruling.counts:
        for lab in worth:
            if lab.attempt.result["origin"] == ruling.counts:
                return lab, f"the instructor chose it of {len(worth)}"
        return worth[-1], f"there is no hand-in {ruling.counts}: the last of {len(worth)}"
    if len(worth) == 1:
        return worth[0], "the only one"
    if policy.counts == BEST:
        return max(worth, key=lambda lab: (lab.points, -lab.late)), f"the best of {len(worth)}"
    if policy.counts == IN_TIME:
        in_time = [lab for lab in worth if not lab.late]
        if in_time:
            return in_time[-1], f"the last before the deadline, of {len(worth)}"
        return worth[0], f"the first of {len(worth)}, all after the deadline"
    return worth[-1], f"the last of {len(worth)}"


def course(
    results: dict[str, list[dict]],
    of_most: dict[str, Fraction],
    policy: CoursePolicy,
    rulings: dict[str, Ruling],
) -> list[CountedLab]:
    """All labs of one student, in the order of their deadlines: so late days are used up.

    ``of_most``: every lab that counts -> its points. The lowest shares are dropped, as the policy has it.
    """
    latest = datetime.max.replace(tzinfo=UTC)
    labs, free = [], policy.late_days
    for lab in sorted(of_most, key=lambda name: (policy.of(name).deadline or latest, name)):
        labs.append(count(lab, of_most[lab], results.get(lab, []), policy, rulings.get(lab, Ruling()), free))
        free -= labs[-1].free
    droppable = [lab for lab in labs if not lab.excused and policy.of(lab.lab).weight]
    fewest = min(policy.drop_lowest, max(0, len(droppable) - 1))
    dropped = {lab.lab for lab in sorted(droppable, key=lambda lab: (lab.share, lab.lab))[:fewest]}
    return sorted((replace(lab, dropped=lab.lab in dropped) for lab in labs), key=lambda lab: lab.lab)


def percent(labs: list[CountedLab], policy: CoursePolicy) -> Fraction | None:
    """The course total: weighted shares of the labs that count, in percent; None if none does."""
    weights = {lab.lab: policy.of(lab.lab).weight for lab in labs if not (lab.excused or lab.dropped)}
    if not sum(weights.values()):
        return None
    shares = (weights[lab.lab] * lab.share for lab in labs if lab.lab in weights)
    return 100 * sum(shares, Fraction(0)) / sum(weights.values())


def rounded(value: Fraction, decimals: int) -> str:
    """A number with so many digits behind the point, half up: 2.345 -> 2.35."""
    units = math.floor(abs(value) * 10**decimals + Fraction(1, 2))
    whole, rest = divmod(units, 10**decimals)
    sign = "-" if value < 0 and units else ""
    return f"{sign}{whole}.{rest:0{decimals}d}" if decimals else f"{sign}{whole}"


def most_of(results: list[dict]) -> dict[str, Fraction]:
    """Every lab that somebody handed in -> its points."""
    labs: dict[str, Fraction] = {}
    for result in results:
        if result["questions"]:
            labs[result["lab"]] = max(labs.get(result["lab"], Fraction(0)), Fraction(most(result)))
    return labs
