"""Freshness: each way in which a night goes wrong has its sentence."""

from datetime import timedelta

import pytest

from fsdl_deploy.batch.freshness import freshness
from fsdl_deploy.batch.store import Store, now
from fsdl_deploy.cli import main

HOUR = timedelta(hours=1)


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "readings.db")
    yield store
    store.close()


def night(store, cards=100, read=100, aside=0, version="v2", month="2026-10", ended=True, error=None):
    """One night's run, and its id."""
    run = store.begin(month, version, cards)
    about = {"month": month, "model_version": version}
    good, bad = about | {"digits": "1", "confidence": 1.0}, about | {"reason": "damaged"}
    store.add(
        run,
        [{**good, "customer": f"C{i}", "picture": f"{i}.png"} for i in range(read)],
        [{**bad, "customer": f"B{i}", "picture": f"b{i}.png"} for i in range(aside)],
    )
    if ended:
        store.finish(run, error)
    return run


def test_a_good_night(store):
    night(store)
    verdict = freshness(store)
    assert verdict.fresh and "100 cards of 2026-10 are read by v2" in verdict.sentence
    assert verdict.age < HOUR
    assert freshness(store, customers=100).fresh


@pytest.mark.parametrize(
    ("run", "later", "asked", "sentence"),
    [
        (None, 0, {}, "has never run here"),
        ({}, 30, {}, "did not happen: the last run that finished did so at"),
        ({"ended": False, "read": 40}, 0, {}, "is at work now: 40 of 100"),
        ({"ended": False, "read": 40}, 3, {}, "is partial: the run of"),
        ({"ended": False, "read": 40}, 30, {}, "No run has ever finished"),
        ({"error": "the disk is full", "read": 40}, 3, {}, "failed after 40 of 100 cards of 2026-10: the"),
        ({"version": "v1"}, 3, {}, "an old model: v1, and v2 is wanted"),
        ({"cards": 0, "read": 0}, 3, {}, "no cards of 2026-10 at all"),
        ({"read": 70, "aside": 2}, 3, {}, "is partial: 72 of 100"),
        ({}, 3, {"customers": 1000}, "is partial: 100 of 1,000"),
        ({"read": 90, "aside": 10}, 3, {}, "set aside 10 of 100 cards of 2026-10, such as: damaged"),
    ],
)  # fmt: skip
def test_a_bad_night_has_its_sentence(store, run, later, asked, sentence):
    if run is not None:
        night(store, **run)
    verdict = freshness(store, at=now() + later * HOUR, **asked)
    assert not verdict.fresh and sentence in verdict.sentence


def test_yesterdays_good_night_does_not_hide_todays_failure(store, monkeypatch):
    night(store)
    later = now() + 24 * HOUR
    monkeypatch.setattr("fsdl_deploy.batch.store.now", lambda: later)
    night(store, month="2026-11", read=3, error="the model is gone")
    verdict = freshness(store, at=later + HOUR)
    assert not verdict.fresh and "the model is gone" in verdict.sentence
    assert 24 * HOUR <= verdict.age <= 26 * HOUR


def test_a_new_run_heals_an_old_failure(store):
    night(store, read=40, error="the disk is full")
    night(store)
    assert freshness(store).fresh


def test_the_command_exits_with_what_it_found(store, tmp_path, capsys):
    command = ["freshness", "--store", str(tmp_path / "readings.db")]
    assert main(command) == 1
    assert "never run" in capsys.readouterr().out
    night(store)
    assert main(command) == 0
    assert main([*command, "--version", "v3"]) == 1
    for name, value in (("--within", "-1"), ("--within", "inf"), ("--within", "nan"), ("--customers", "0")):
        capsys.readouterr()
        assert main([*command, name, value]) == 1
        assert f"{name} is " in capsys.readouterr().err
