"""A store that refuses one customer's row until it is repaired: what makes a workflow's task fail."""

import sqlite3
from contextlib import closing
from pathlib import Path


class Refusing:
    """What a test does to ``readings.db`` in ``folder``, behind the back of the job."""

    folder: Path
    victim: str

    def database(self, command: str) -> list:
        with closing(sqlite3.connect(self.folder / "readings.db", timeout=60)) as connection:
            return connection.execute(command).fetchall()

    def refuse(self) -> None:
        """From now on the row of ``victim`` cannot be stored."""
        self.database(
            f"CREATE TRIGGER refuse BEFORE INSERT ON predictions WHEN new.customer = '{self.victim}' "
            "BEGIN SELECT RAISE(ABORT, 'no room for this row'); END"
        )

    def repair(self) -> None:
        self.database("DROP TRIGGER IF EXISTS refuse")
