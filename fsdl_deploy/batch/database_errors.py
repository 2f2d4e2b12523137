"""What goes wrong with a database, in a sentence that says what to do

Knows the words of SQLite and PostgreSQL; knows nothing about tables.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa


class StoreError(RuntimeError):
    """The database cannot be used; the message says why, and what to do."""


@contextmanager
def explained(url: str, seconds: float) -> Iterator[None]:
    """Turn the errors of the database at ``url``, which waits ``seconds`` for a lock, into StoreError."""
    try:
        yield
    except FileNotFoundError as error:
        raise StoreError(str(error)) from None
    except sa.exc.DBAPIError as error:
        problem = " ".join(str(error.orig).split())
        if "locked" in problem:
            problem = f"another program has held it for more than {seconds:g} s: end that one, then go on"
        elif "no such table" in problem or 'relation "' in problem:
            problem = "it has no tables of readings: is it the right one? 'fsdl-deploy score' makes them"
        elif "full" in problem or "No space" in problem:
            problem = (
                "there is no space left: make some, then run the same command again; what is stored stays"
            )
        raise StoreError(f"the database {url} cannot be used: {problem}") from None
