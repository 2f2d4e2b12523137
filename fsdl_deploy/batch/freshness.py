"""Fresh or stale: is last night's batch there? One sentence, and an exit status that an alarm can use.

A batch job fails silently: whoever looks up a prediction gets yesterday's, and no error. So a check of
its own asks the record of runs. It does not run the job, and it must not run inside it.
"""

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta

from fsdl_deploy.batch.store import ACTIVE, Store, now
from fsdl_deploy.reader import LATEST

WITHIN = timedelta(hours=24)
MOST_HOURS = 10 * 366 * 24  # ten years: more is a slip
MOST_SET_ASIDE = 0.05


def staleness(since: datetime) -> float:
    """Seconds ``since`` a stored prediction was made (UTC): what its user does not see of today."""
    return max(0.0, (now() - since).total_seconds())


@dataclass(frozen=True)
class Freshness:
    """``fresh``, or not, with the sentence that says so. ``age``: since the last run that finished."""

    fresh: bool
    sentence: str
    age: timedelta | None = None


def freshness(
    store: Store,
    version: str = LATEST,
    within: timedelta = WITHIN,
    customers: int | None = None,
    most_set_aside: float = MOST_SET_ASIDE,
    at: datetime | None = None,
) -> Freshness:
    """Judge the last run in ``store``: did it happen ``within`` this time, whole, with model ``version``?

    ``customers``: how many cards the month should have; without it, those that the run found.
    ``at``: judge as of this time in UTC (default: now). The worst finding is the one that is said.
    """
    at = at or now()
    runs = store.runs()
    if not runs:
        return Freshness(False, f"No run is on record in {store.url}: the job has never run here.")
    finished = [run for run in runs if run["finished"] is not None]
    age = at - finished[0]["finished"] if finished else None
    problem = _interrupted(store, runs[0], within, at) or _overdue(runs[0], finished, within, at)
    problem = problem or _incomplete(store, finished[0], version, customers or 0, most_set_aside)
    if problem:
        return Freshness(False, problem, age)
    month = finished[0]["month"]
    read, aside = store.counts(month, version)
    return Freshness(
        True,
        f"Fresh: {read:,} cards of {month} are read by {version}, {aside:,} set aside; "
        f"the last run finished {_hours(age)} ago.",
        age,
    )


def _interrupted(store: Store, run: dict, within: timedelta, at: datetime) -> str | None:
    """The sentence about ``run`` if it was at work ``within`` this time and has not finished, or None."""
    silent = at - run["heartbeat"]
    if silent > within:
        return None
    if run["error"] is not None:
        return f"Last night failed after {_progress(store, run)}: {run['error']}"
    if run["finished"] is not None:
        return None
    if silent <= ACTIVE:
        return f"A run is at work now: {_progress(store, run)}. Ask again when it is done."
    return (
        f"Last night is partial: the run of {_clock(run['started'])} stopped at "
        f"{_clock(run['heartbeat'])} after {_progress(store, run)}. Run it again: it goes on there."
    )


def _overdue(last: dict, finished: list[dict], within: timedelta, at: datetime) -> str | None:
    """The sentence if no run has finished ``within`` this time, or None; ``finished``: newest first."""
    if not finished:
        return f"No run has ever finished; the last one started at {_clock(last['started'])}."
    end = finished[0]["finished"]
    if at - end <= within:
        return None
    return (
        f"Last night did not happen: the last run that finished did so at {_clock(end)}, "
        f"{_hours(at - end)} ago."
    )


def _incomplete(store: Store, run: dict, version: str, customers: int, most_set_aside: float) -> str | None:
    """The sentence about what the month of a finished ``run`` lacks, or None."""
    month = run["month"]
    if run["model_version"] != version:
        return f"Last night used an old model: {run['model_version']}, and {version} is wanted."
    read, aside = store.counts(month, version)
    expected = max(run["cards"], customers)
    if expected == 0:
        return f"Last night found no cards of {month} at all: is the inbox where it was?"
    if read + aside < expected:
        return f"Last night is partial: {read + aside:,} of {expected:,} cards of {month} are done."
    if aside > most_set_aside * (read + aside):
        reason = store.aside(month=month, limit=1)[0]["reason"]
        return f"Last night set aside {aside:,} of {read + aside:,} cards of {month}, such as: {reason}"
    return None


def _progress(store: Store, run: dict) -> str:
    stored = sum(store.counts(run["month"], run["model_version"]))
    return f"{stored:,} of {run['cards']:,} cards of {run['month']}"


def _clock(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _hours(age: timedelta) -> str:
    minutes = round(age.total_seconds() / 60)
    return f"{minutes} minutes" if minutes < 120 else f"{minutes / 60:.0f} hours"


def add_arguments(parser) -> None:
    parser.add_argument("--store", default="readings.db", help="SQLite file or postgresql:// URL")
    parser.add_argument("--version", default=LATEST, help="the model that is wanted")
    parser.add_argument("--within", type=float, default=24, help="hours that a night may be old")
    parser.add_argument("--customers", type=int, help="how many cards the month should have")


def main(args) -> int:
    if not 0 < args.within <= MOST_HOURS:
        raise ValueError(
            f"--within is a number of hours, above 0 and at most {MOST_HOURS:,}, not {args.within:g}"
        )
    if args.customers is not None and args.customers < 1:
        raise ValueError(f"--customers is the number of cards, at least 1, not {args.customers}")
    with closing(Store(args.store, read_only=True)) as store:
        verdict = freshness(store, args.version, timedelta(hours=args.within), customers=args.customers)
    print(verdict.sentence)
    return 0 if verdict.fresh else 1
