"""What the batch job stores without a workflow tool: a tool's store must have the same rows."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from fsdl_deploy.batch.job import Batch
from fsdl_deploy.batch.store import Store
from fsdl_deploy.reader import open_reader


def rows(file: Path) -> list[tuple]:
    """The predictions of an SQLite store by customer, without who wrote them and when."""
    query = "SELECT month, customer, model_version, digits, confidence, picture FROM predictions"
    with closing(sqlite3.connect(file, timeout=60)) as database:
        return sorted(database.execute(query))


def rows_of_the_plain_job(inbox: Path, month: str, file: Path) -> list[tuple]:
    """Read a month into a new store ``file``; its rows.

    Confidences to one in the last of the four digits that are stored: in another batch they differ by less
    than a millionth, which may still round the other way.
    """
    with closing(Store(file)) as store, Batch(inbox, month, store, open_reader()) as batch:
        batch.score(progress=False)
    return [
        tuple(pytest.approx(value, abs=1.5e-4) if isinstance(value, float) else value for value in row)
        for row in rows(file)
    ]
