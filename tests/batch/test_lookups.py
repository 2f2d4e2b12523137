"""The table against its number of rows: all of them are stored, and a row that is lost is noticed."""

import pytest

from fsdl_deploy.batch import lookups


def test_rows_beyond_one_insert_are_all_found(monkeypatch):
    monkeypatch.setattr(lookups, "AT_ONCE", 70)
    small = lookups.measure(150, lookups=200)
    assert small.rows == 150 and small.lookup_ms > 0 and small.stored_per_second > 0


def test_a_store_that_loses_rows_is_not_measured(monkeypatch):
    monkeypatch.setattr(lookups.Store, "add", lambda *_: (0, 0))
    with pytest.raises(RuntimeError, match="lost the row"):
        lookups.measure(10, lookups=5)
