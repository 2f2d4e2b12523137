"""The store, in SQLite and in PostgreSQL: a row stands there once, a change is whole or not at all."""

import sqlite3
import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa

from fsdl_deploy.batch.store import ACTIVE, Store, StoreError, now, write_ahead


@pytest.fixture
def store(store_url):
    store = Store(store_url)
    yield store
    store.close()


def row(customer="C1", digits="123", version="v2", **more):
    return {
        "month": "2026-10", "customer": customer, "model_version": version, "digits": digits,
        "confidence": 0.9, "picture": f"{customer}.png", **more,
    }  # fmt: skip


def aside(picture="C9.png", reason="damaged"):
    return {
        "month": "2026-10", "customer": picture[:-4], "model_version": "v2", "picture": picture,
        "reason": reason,
    }  # fmt: skip


def test_a_row_stands_there_once_and_stays_as_it_was(store):
    run = store.begin("2026-10", "v2", 3)
    assert store.add(run, [row("C1"), row("C2")], [aside()]) == (2, 1)
    assert store.add(run, [row("C1", digits="999"), row("C3")], [aside(reason="else")]) == (1, 0)
    assert store.counts("2026-10", "v2") == (3, 1)
    assert store.prediction("C1", "2026-10")["digits"] == "123"
    assert store.aside()[0]["reason"] == "damaged"
    (record,) = store.runs()
    assert (record["read"], record["set_aside"], record["finished"]) == (3, 1, None)


def test_another_version_and_another_month_are_other_rows_and_the_newest_answers(store):
    run = store.begin("2026-10", "v1", 1)
    store.add(run, [row(version="v1", digits="1")])
    store.add(run, [row(version="v2", digits="2")])
    store.add(run, [row(month="2026-09", digits="3")])
    assert store.prediction("C1", "2026-10")["digits"] == "2"
    assert store.prediction("C1", "2026-09")["digits"] == "3"
    assert store.prediction("C1", "2026-08") is None
    assert store.counts("2026-10", "v2") == (1, 0)


def test_a_transaction_that_breaks_leaves_nothing(store):
    run = store.begin("2026-10", "v2", 2)
    with pytest.raises(StoreError):
        store.add(run, [row("C1")], [{**aside(), "reason": None}])
    assert store.counts("2026-10", "v2") == (0, 0)
    assert store.runs()[0]["read"] == 0


def test_what_is_recorded_and_what_is_forgotten(store):
    run = store.begin("2026-10", "v2", 3)
    store.add(run, [row("C1")], [aside("C9.png")])
    known = store.recorded("2026-10", "v2", ["C1", "C2"], ["C8.png", "C9.png"])
    assert known == ({"C1": "C1.png"}, {"C9.png"})
    assert store.recorded("2026-10", "v1", ["C1"], ["C9.png"]) == ({}, set())
    assert store.forget_set_aside("2026-10", "v2") == 1
    assert store.aside(month="2026-10") == []


def test_runs_are_active_until_they_end_or_fall_silent(store, monkeypatch):
    first, second = store.begin("2026-10", "v2", 1), store.begin("2026-10", "v2", 1)
    store.begin("2026-10", "v1", 1)
    assert store.active("2026-10", "v2") == [first, second]
    store.finish(first)
    assert store.active("2026-10", "v2") == [second]
    later = now() + ACTIVE + timedelta(seconds=1)
    monkeypatch.setattr("fsdl_deploy.batch.store.now", lambda: later)
    assert store.active("2026-10", "v2") == []
    store.finish(second, "the disk is full")
    assert next(run for run in store.runs() if run["run"] == second)["error"] == "the disk is full"


def test_many_threads_write_the_same_rows_once(store):
    run = store.begin("2026-10", "v2", 200)
    rows = [row(f"C{i:03d}") for i in range(200)]
    new = []

    def write():
        for start in range(0, 200, 20):
            new.append(store.add(run, rows[start : start + 20])[0])

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(new) == 200 == store.runs()[0]["read"]


def test_a_thousand_names_fit_in_one_question(store):
    assert store.recorded("2026-10", "v2", [f"C{i}" for i in range(1000)], ["x"] * 1000) == ({}, set())


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("mysql://host/name", "SQLite or PostgreSQL, not 'mysql"),
        ("postgresql://me:secret@127.0.0.1:1/name", "Connection refused"),
        ("sqlite:////nowhere/at/all.db", "unable to open"),
        ("://", "not '://'"),
    ],
)
def test_a_database_that_cannot_be_used_is_a_sentence_without_the_password(url, problem):
    with pytest.raises(StoreError, match=problem) as raised:
        Store(url)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("folder", ["p%20d", "q?d", "h#d", "Unité 1", "a&b=c"])
def test_a_path_is_no_url(tmp_path, folder):
    file = tmp_path / folder / "readings.db"
    file.parent.mkdir()
    Store(file).begin("2026-01", "v2", 1)
    assert file.stat().st_size > 0 and {path.name for path in tmp_path.iterdir()} == {folder}


def test_many_may_open_a_new_store_at_once(store_url):
    opened = []
    threads = [threading.Thread(target=lambda: opened.append(Store(store_url))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [store.runs() for store in opened] == [[]] * 8
    for store in opened:
        store.close()


def test_a_new_file_that_another_program_is_turning_into_wal_is_asked_again():
    class Connection:
        refused, statements = 2, []

        def execute(self, statement):
            if self.refused:
                self.refused -= 1
                raise sqlite3.OperationalError("database is locked")
            self.statements.append(statement)

    write_ahead(Connection(), None)
    assert Connection.statements == ["PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL"]


def test_a_file_that_is_no_database_stays_as_it_is(tmp_path):
    file = tmp_path / "letter.txt"
    file.write_text("Dear customer, " * 100)
    with pytest.raises(StoreError, match="not a database"):
        Store(file)
    assert file.read_text().startswith("Dear customer")


def test_a_full_disk_is_said_and_what_is_stored_stays(tmp_path):
    store = Store(tmp_path / "readings.db")
    run = store.begin("2026-10", "v2", 10_000)
    store.add(run, [row(f"C{i:05d}") for i in range(100)])

    @sa.event.listens_for(store.engine, "checkout")
    def no_more_pages(connection, *_):
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages + 2}")

    with pytest.raises(StoreError, match="no space left"):
        store.add(run, [row(f"D{i:05d}") for i in range(10_000)])
    assert store.counts("2026-10", "v2") == (100, 0)


def test_a_locked_database_is_waited_for_then_said(tmp_path, monkeypatch):
    monkeypatch.setattr("fsdl_deploy.batch.store.LOCK_SECONDS", 0.2)
    store = Store(tmp_path / "readings.db")
    run = store.begin("2026-10", "v2", 1)
    other = sqlite3.connect(tmp_path / "readings.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="another program has held it"):
        store.add(run, [row()])
    assert store.counts("2026-10", "v2") == (0, 0)  # reading goes on meanwhile
    other.execute("ROLLBACK")
    assert store.add(run, [row()]) == (1, 0)
    other.close()
    store.close()


def test_runs_that_fell_silent_are_recorded_as_broken_off_by_the_next(store, monkeypatch):
    dead, slow = store.begin("2026-09", "v1", 1), store.begin("2026-10", "v2", 1)
    later = now() + ACTIVE + timedelta(seconds=1)
    monkeypatch.setattr("fsdl_deploy.batch.store.now", lambda: later)
    store.begin("2026-10", "v2", 1)
    errors = {run["run"]: run["error"] for run in store.runs()}
    assert "fell silent" in errors[dead] and "fell silent" in errors[slow]
    store.add(slow, [row("C1")])  # it lives
    store.finish(slow)
    (run,) = [run for run in store.runs() if run["run"] == slow]
    assert run["error"] is None and run["finished"] == later


def test_a_chunk_may_have_more_cards_than_a_question_may_have_values(store):
    names = [f"C{i}" for i in range(70_000)]
    run = store.begin("2026-10", "v2", 70_000)
    store.add(run, [row("C5"), row("C69999")])
    known, aside = store.recorded("2026-10", "v2", names, names)
    assert known == {"C5": "C5.png", "C69999": "C69999.png"} and aside == set()


def test_a_store_outlives_a_restart_of_its_server(postgres):
    store = Store(postgres.url.removesuffix("/postgres") + "/template1")
    store.runs()
    with sa.create_engine(postgres.url.replace("postgresql:", "postgresql+psycopg:")).connect() as other:
        ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'template1'"
        other.execute(sa.text(ended))
    assert store.runs() == []
    store.close()
