"""A batch job that is killed in the middle, and whether two tables hold the same readings"""

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from fsdl_deploy.batch.store import Store
from fsdl_deploy.reader import LATEST

PROGRAM = (sys.executable, "-m", "fsdl_deploy.cli")
PATIENCE = 60.0  # seconds
ROWS = "SELECT month, customer, model_version, digits, confidence FROM predictions ORDER BY month, customer"


def kill_when_stored(count: int, store: Store, month: str, words: Sequence[str | os.PathLike]) -> int:
    """Start ``fsdl-deploy WORDS``, end it by SIGKILL once ``count`` cards are read; return how many.

    ``store``: the one that the words name. Raises RuntimeError for a job that ends before, or that has not
    stored as many in PATIENCE seconds.
    """

    def stored() -> int:
        return store.counts(month, LATEST)[0]

    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([*PROGRAM, *words], **quiet) as job:
        deadline = time.monotonic() + PATIENCE
        try:
            while stored() < count and job.poll() is None and time.monotonic() < deadline:
                pass  # asking the table is the pause
            ended = job.poll()
        finally:
            job.kill()
        errors = job.stderr.read().strip().splitlines()[-1:]
    if stored() < count:
        how = f"ended with status {ended}: {' '.join(errors)}" if ended is not None else "is too slow"
        raise RuntimeError(f"the job has stored {stored()} of {count} cards, and {how}")
    return stored()


def readings_in(file: Path) -> list[tuple]:
    """Every reading in a SQLite store, without the run and the time that made it, by customer."""
    with closing(sqlite3.connect(file)) as database:
        return database.execute(ROWS).fetchall()
