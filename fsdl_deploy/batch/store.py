"""Where predictions are kept: tables in SQLite (a file, no server) or PostgreSQL (by URL).

There is one prediction for each month, customer and model version. So a job may write the same row as often
as it likes, and it stands there once. Knows nothing about pictures or models.
"""

import sqlite3
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path

import sqlalchemy as sa

from fsdl_deploy.batch import asking
from fsdl_deploy.batch.database_errors import StoreError, explained
from fsdl_deploy.batch.tables import metadata, predictions, runs, set_aside

LOCK_SECONDS = 60
KINDS = ("sqlite", "postgresql")
COUNT = {"preserve_rowcount": True}  # of an INSERT, too
BROKEN_OFF = "it fell silent before its end, and a later run went on"
MOST_VALUES = 10_000  # in one question: PostgreSQL takes 65,535, some builds of SQLite 32,766
ACTIVE = timedelta(minutes=2)  # a run that has stored nothing for so long is taken for dead


def now() -> datetime:
    """This moment in UTC, without a zone: what the tables hold."""
    return datetime.now(UTC).replace(tzinfo=None)


class Store:
    """The tables behind ``url``: an SQLAlchemy URL, or the path of an SQLite file.

    Every change is one transaction: after a kill it is there or it is not. ``read_only``: nothing is made or
    written, not even where the store is new; what would write raises. Raises StoreError.
    """

    def __init__(self, url: str | Path = "readings.db", read_only: bool = False):
        url = str(url)
        try:
            parsed = sa.make_url(url) if "://" in url else sa.URL.create("sqlite", database=url)
            kind = parsed.get_backend_name()
        except sa.exc.ArgumentError:
            kind = ""
        if kind not in KINDS:
            raise StoreError(
                f"the store is SQLite or PostgreSQL, not {kind or url!r}: give the path of an SQLite file, "
                "or postgresql://user@host/name"
            )
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        self.url = parsed.render_as_string()  # without the password
        # The other kind is not imported: it would be a tenth of the start of a process that only stores.
        self._insert, lite = import_module(f"sqlalchemy.dialects.{kind}").insert, kind == "sqlite"
        with explained(self.url, LOCK_SECONDS):
            if read_only:
                self.engine = asking.engine(parsed, LOCK_SECONDS)
                return
            # A pool keeps connections that a restart of the server has ended: each is tried before its use.
            connect = {"connect_args": {"timeout": LOCK_SECONDS}} if lite else {"pool_pre_ping": True}
            self.engine = sa.create_engine(parsed, **connect)
            if lite:
                sa.event.listen(self.engine, "connect", write_ahead)
            self._make_tables()

    def _make_tables(self) -> None:
        """Make what is missing; another program may be making the same at the same moment."""
        for left in reversed(range(2 * len(metadata.tables))):
            try:
                return metadata.create_all(self.engine)
            except sa.exc.DBAPIError as error:
                if not left or "already exists" not in str(error.orig):
                    raise

    def begin(self, month: str, model_version: str, cards: int) -> str:
        """Record that a run starts, which finds ``cards`` in the inbox; return its id.

        Runs that fell silent before their end are recorded as broken off.
        """
        run, moment = uuid.uuid4().hex[:12], now()
        with self._changing() as connection:
            silent = (runs.c.finished.is_(None), runs.c.error.is_(None), runs.c.heartbeat < moment - ACTIVE)
            connection.execute(runs.update().where(*silent).values(error=BROKEN_OFF))
            connection.execute(
                runs.insert().values(
                    run=run, month=month, model_version=model_version, started=moment, heartbeat=moment,
                    cards=cards, read=0, set_aside=0,
                )
            )  # fmt: skip
        return run

    def add(self, run: str, read: Sequence[dict], aside: Sequence[dict] = ()) -> tuple[int, int]:
        """Store rows of ``predictions`` and ``set_aside`` and the run's progress, all or nothing.

        Rows lack ``run`` and ``time``. A row that is there stays as it is. Returns how many were new.
        """
        moment = now()
        with self._changing() as connection:
            new = [
                self._new(connection, table, [{**row, "run": run, "time": moment} for row in rows])
                for table, rows in ((predictions, read), (set_aside, aside))
            ]
            connection.execute(
                runs.update()
                .where(runs.c.run == run)
                .values(read=runs.c.read + new[0], set_aside=runs.c.set_aside + new[1], heartbeat=moment)
                .values(error=None)  # of a run that was slow, not dead
            )
        return new[0], new[1]

    def _new(self, connection: sa.Connection, table: sa.Table, rows: list[dict]) -> int:
        """Insert the rows that are not there yet, and count them."""
        insert = self._insert(table).on_conflict_do_nothing()
        return connection.execute(insert, rows, execution_options=COUNT).rowcount if rows else 0

    def finish(self, run: str, error: str | None = None) -> None:
        """Record that a run has come to its end, or the ``error`` that ended it."""
        values = {"heartbeat": now(), "error": error} | ({} if error else {"finished": now()})
        with self._changing() as connection:
            connection.execute(runs.update().where(runs.c.run == run).values(**values))

    def recorded(
        self, month: str, model_version: str, customers: Iterable[str], pictures: Iterable[str]
    ) -> tuple[dict[str, str], set[str]]:
        """What is known of these: customer -> the picture that was read; the pictures set aside."""
        read, aside = {}, set()
        with self._reading() as connection:
            for some in _slices(customers):
                query = sa.select(predictions.c.customer, predictions.c.picture).where(
                    predictions.c.month == month,
                    predictions.c.model_version == model_version,
                    predictions.c.customer.in_(some),
                )
                read |= dict(map(tuple, connection.execute(query)))
            for some in _slices(pictures):
                query = sa.select(set_aside.c.picture).where(
                    set_aside.c.month == month,
                    set_aside.c.model_version == model_version,
                    set_aside.c.picture.in_(some),
                )
                aside |= set(connection.execute(query).scalars())
        return read, aside

    def forget_set_aside(self, month: str, model_version: str) -> int:
        """Drop what was set aside, so that it is tried again; return how many there were."""
        with self._changing() as connection:
            return connection.execute(
                set_aside.delete().where(
                    set_aside.c.month == month, set_aside.c.model_version == model_version
                )
            ).rowcount

    def counts(self, month: str, model_version: str) -> tuple[int, int]:
        """How many cards are read, and how many are set aside."""
        with self._reading() as connection:
            return tuple(
                connection.scalar(
                    sa.select(sa.func.count())
                    .select_from(table)
                    .where(table.c.month == month, table.c.model_version == model_version)
                )
                for table in (predictions, set_aside)
            )

    def runs(self, month: str | None = None, limit: int = 100) -> list[dict]:
        """The last runs, newest first, as dictionaries of the columns of ``runs``."""
        query = sa.select(runs).order_by(runs.c.started.desc(), runs.c.run.desc()).limit(limit)
        if month is not None:
            query = query.where(runs.c.month == month)
        with self._reading() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def active(self, month: str, model_version: str) -> list[str]:
        """Runs of this month and version that are at work now, the one that started first first."""
        since = now() - ACTIVE
        return [
            run["run"]
            for run in reversed(self.runs(month))
            if run["model_version"] == model_version
            and run["finished"] is None
            and run["error"] is None
            and run["heartbeat"] > since
        ]

    def prediction(self, customer: str, month: str) -> dict | None:
        """The newest prediction for a customer's card, whichever version made it; None if there is none."""
        with self._reading() as connection:
            rows = connection.execute(
                sa.select(predictions)
                .where(predictions.c.month == month, predictions.c.customer == customer)
                .order_by(predictions.c.time.desc(), predictions.c.model_version.desc())
                .limit(1)
            ).mappings()
            row = rows.first()
            return dict(row) if row else None

    def aside(self, customer: str | None = None, month: str | None = None, limit: int = 100) -> list[dict]:
        """Cards that were set aside, with the reason."""
        query = sa.select(set_aside).order_by(set_aside.c.picture).limit(limit)
        if customer is not None:
            query = query.where(set_aside.c.customer == customer)
        if month is not None:
            query = query.where(set_aside.c.month == month)
        with self._reading() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def close(self) -> None:
        """Close the connections to the database."""
        self.engine.dispose()

    @contextmanager
    def _changing(self) -> Iterator[sa.Connection]:
        with explained(self.url, LOCK_SECONDS), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with explained(self.url, LOCK_SECONDS), self.engine.connect() as connection:
            yield connection


def write_ahead(connection, _) -> None:
    """Have a new connection of SQLite write ahead: a listener of SQLAlchemy's event ``connect``."""
    # Readers do not wait for the writer, and a commit survives a killed process. Of two programs that turn a
    # new file into this mode at once SQLite refuses one without waiting: both hold what the other needs.
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            break
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
    connection.execute("PRAGMA synchronous=NORMAL")


def _slices(values: Iterable[str]) -> Iterator[list[str]]:
    values = list(values)
    for start in range(0, len(values), MOST_VALUES):
        yield values[start : start + MOST_VALUES]
