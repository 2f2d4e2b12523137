"""The table against its number of rows: what a look-up and an insert cost when it is a thousand times larger

The lecture says that batch prediction scales because databases do. The rows are made up, the store is the
job's own. Its endpoint is also asked in turns with a model service. Knows nothing of models.
"""

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from fsdl_deploy.batch.store import Store

MONTH, VERSION = "2026-10", "v2"
AT_ONCE = 5_000  # rows of one insert, as a chunk of the job


class Lookups(NamedTuple):
    """A table of ``rows``: median milliseconds of a look-up, and rows that were stored in a second."""

    rows: int
    lookup_ms: float
    stored_per_second: float


class TimedAnswers(NamedTuple):
    """``milliseconds`` of each answer by the way it was got; in how many of them a reading was ``stored``."""

    milliseconds: dict[str, list[float]]
    stored: int


def measure(rows: int, lookups: int = 300) -> Lookups:
    """Fill a new SQLite store with ``rows`` predictions, then look ``lookups`` of them up at random."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "table.db")
        run = store.begin(MONTH, VERSION, rows)
        started = time.perf_counter()
        for first in range(0, rows, AT_ONCE):
            store.add(run, [_row(number) for number in range(first, min(first + AT_ONCE, rows))])
        stored = time.perf_counter() - started
        times = []
        for number in np.random.default_rng(1).integers(rows, size=lookups):
            started = time.perf_counter()
            prediction = store.prediction(_customer(number), MONTH)
            times.append(time.perf_counter() - started)
            if prediction is None or prediction["digits"] != _digits(number):
                raise RuntimeError(f"the store lost the row of {_customer(number)}")
        store.close()
    return Lookups(rows, 1000 * float(np.median(times)), rows / stored)


def _customer(number: int) -> str:
    return f"C{number:07d}"


def _digits(number: int) -> str:
    return f"{number % 100_000:05d}"


def _row(number: int) -> dict:
    return {
        "month": MONTH, "customer": _customer(number), "picture": f"{_customer(number)}.jpg",
        "model_version": VERSION, "digits": _digits(number), "confidence": 0.99,
    }  # fmt: skip


def in_turns(client, stored: str, model: str, pictures: Mapping[str, Path], month: str) -> TimedAnswers:
    """Ask for each customer's reading twice: the endpoint at ``stored``, then the model service at ``model``.

    ``client``: an HTTP client. ``pictures``: the file of each customer's card. A customer whom the endpoint
    does not know is not counted in ``stored``. Raises the client's error where the model service refuses.
    """
    looked_up, asked, known = [], [], 0
    for customer, picture in pictures.items():
        started = time.perf_counter()
        known += client.get(f"{stored}/readings/{month}/{customer}").status_code == 200
        middle = time.perf_counter()
        client.post(f"{model}/read", files={"pictures": picture.read_bytes()}).raise_for_status()
        looked_up.append(1000 * (middle - started))
        asked.append(1000 * (time.perf_counter() - middle))
    return TimedAnswers({"look up": looked_up, "ask the model": asked}, known)
