"""A job that is killed: really in the middle, a job that fails is no kill, and tables are told apart."""

import sqlite3

import pytest

from fsdl_course.batch import interrupted
from fsdl_course.batch.interrupted import kill_when_stored, readings_in
from fsdl_deploy.batch.job import Batch
from fsdl_deploy.batch.store import Store
from fsdl_deploy.reader import OnnxReader

MONTH = "2026-10"


def words(inbox, file):
    return ["score", inbox, "--month", MONTH, "--store", file, "--chunk", "10", "--workers", "1"]


def test_a_job_dies_in_the_middle_and_a_second_run_makes_the_table_of_an_undisturbed_one(
    month_of_cards, tmp_path
):
    store = Store(tmp_path / "killed.db")
    stored = kill_when_stored(30, store, MONTH, words(month_of_cards, tmp_path / "killed.db"))
    assert 30 <= stored <= 120 and stored % 10 == 0
    whole = Store(tmp_path / "whole.db")
    reader = OnnxReader()
    for each in (store, whole):
        with Batch(month_of_cards, MONTH, each, reader, 10) as batch:  # the chunks of the job
            batch.score(progress=False)
        each.close()
    readings = readings_in(tmp_path / "killed.db")
    assert len(readings) == 120 and readings == readings_in(tmp_path / "whole.db")
    with sqlite3.connect(tmp_path / "whole.db") as database:
        database.execute("UPDATE predictions SET digits = '1' WHERE customer = 'C0000003'")
    assert readings != readings_in(tmp_path / "whole.db")


def test_a_job_that_ends_by_itself_was_not_killed(month_of_cards, tmp_path):
    store, file = Store(tmp_path / "readings.db"), tmp_path / "readings.db"
    with pytest.raises(RuntimeError, match=r"stored 0 of 30 cards, and ended with status \d: .*2026-13"):
        kill_when_stored(30, store, MONTH, ["score", month_of_cards, "--month", "2026-13", "--store", file])
    store.close()


def test_a_job_that_stores_nothing_is_waited_for_no_longer_than_said(monkeypatch, tmp_path):
    monkeypatch.setattr(interrupted, "PATIENCE", 0.3)
    monkeypatch.setattr(interrupted, "PROGRAM", (interrupted.sys.executable, "-c", "input()"))
    monkeypatch.setattr("sys.stdin", None)
    store = Store(tmp_path / "empty.db")
    with pytest.raises(RuntimeError, match="stored 0 of 1 cards"):
        kill_when_stored(1, store, MONTH, [])
    store.close()
