"""A store that is only asked: its database opened so that nothing is made and nothing written

A check must not change what it checks, and its user may be somebody who may only read. Knows databases; knows
nothing about their tables.

Source: SQLite, https://www.sqlite.org/uri.html and https://www.sqlite.org/wal.html, section 5.
"""

import sqlite3
from pathlib import Path

import sqlalchemy as sa

LOGS = ("-wal", "-journal")  # beside the file, while a program writes or after one was killed


def engine(url: sa.URL, seconds: float) -> sa.Engine:
    """An engine for ``url`` that only reads; ``seconds`` is how long it waits for a lock.

    Raises FileNotFoundError for an SQLite file that is not there.
    """
    if url.get_backend_name() != "sqlite":
        return sa.create_engine(url, pool_pre_ping=True, execution_options={"postgresql_readonly": True})
    file = Path(url.database or "").resolve()
    if not file.is_file():
        raise FileNotFoundError(f"there is no store at {file}: 'fsdl-deploy score' makes one")

    def connect() -> sqlite3.Connection:
        # A reader too would make the files of a log that are not there, which needs the right to write, and
        # leave them. Without a log nobody writes, and the file alone is the whole of it.
        writing = any(file.with_name(file.name + log).exists() for log in LOGS)
        mode = "mode=ro" if writing else "immutable=1"
        return sqlite3.connect(f"{file.as_uri()}?{mode}", uri=True, timeout=seconds, check_same_thread=False)

    # A connection for each question: in the next moment there may be a log, or another file.
    return sa.create_engine(url, creator=connect, poolclass=sa.pool.NullPool)
