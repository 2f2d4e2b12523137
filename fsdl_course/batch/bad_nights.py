"""Bad nights, each in a copy of a good table: exit status, what the customer sees, what the check says"""

import os
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from fsdl_course.batch.interrupted import PROGRAM
from fsdl_deploy.batch.freshness import freshness
from fsdl_deploy.batch.store import Store, now

NO_ERROR = "no error"
MORNING = timedelta(hours=3)  # from the end of the night to the check


class BadNight(NamedTuple):
    """A row of the lesson's table; ``exit_status`` is "-" where there was none."""

    what: str
    exit_status: int | str
    customer_sees: str
    check_says: str
    alarm: bool


class BadNights:
    """Nights after the one whose SQLite store is ``good``, for the ``customer`` who asks for ``month``."""

    def __init__(self, good: Path, customer: str, month: str):
        self.good, self.customer, self.month = good, customer, month

    def without_a_job(self, what: str, later: timedelta) -> BadNight:
        """Nothing happens; the check comes ``later``."""
        with self._copy() as copy:
            return self._judged(what, "-", copy, later)

    def after(self, what: str, *words: str | os.PathLike) -> BadNight:
        """``fsdl-deploy WORDS`` runs to its end on the copy; the check comes in the morning."""
        with self._copy() as copy:
            return self._judged(what, exit_status(*words, "--store", copy), copy, MORNING)

    def cut_off(self, what: str, version: str, cards: int) -> BadNight:
        """A new table has what a killed job leaves: a start without an end."""
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "night.db"
            with closing(Store(copy)) as store:
                store.begin(self.month, version, cards=cards)
            night = self._judged(what, "-", copy, MORNING)
            return night._replace(customer_sees="no reading, or last month's")

    @contextmanager
    def _copy(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "night.db"
            with closing(sqlite3.connect(self.good)) as good, closing(sqlite3.connect(copy)) as target:
                good.backup(target)
            yield copy

    def _judged(self, what: str, status: int | str, copy: Path, later: timedelta) -> BadNight:
        with closing(Store(copy)) as store:
            answer = store.prediction(self.customer, self.month)
            check = freshness(store, at=now() + later)
        sees = f"{answer['digits']}, {NO_ERROR}" if answer else "that there is no reading"
        return BadNight(what, status, sees, check.sentence, not check.fresh)


def exit_status(*words: str | os.PathLike) -> int:
    """The exit status of ``fsdl-deploy WORDS``; what it prints is not shown."""
    return subprocess.run([*PROGRAM, *words], capture_output=True).returncode
