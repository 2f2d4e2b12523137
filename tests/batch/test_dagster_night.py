"""Dagster's night as the lesson runs it: the listed step, the lines that are read, a run that fails."""

import sys

import pytest

from fsdl_course.batch import dagster_night


def test_the_listed_step_is_one_whole_function_with_its_retries():
    step = dagster_night.retried_step()
    assert step.startswith("@dg.op(retry_policy=") and step.count("@dg.op") == 1
    assert "score_chunk(" in step and not step.endswith("\n")
    compile(step, "step", "exec")


def test_an_event_is_what_happened_and_to_what():
    assert dagster_night.event_of("STEP_SUCCESS\tcards") == ("STEP_SUCCESS", "cards")
    assert dagster_night.event_of("SCHEDULE\tnightly\t0 2 * * *").about == "nightly  0 2 * * *"


def test_the_fault_is_in_the_first_call_and_in_no_other(monkeypatch):
    from fsdl_deploy.batch.job import Batch

    monkeypatch.setattr(Batch, "score_chunk", lambda self, *chunk: chunk)
    exec(dagster_night.HICCUP, {})
    with pytest.raises(ConnectionError):
        Batch.score_chunk(None, "a card")
    assert Batch.score_chunk(None, "a card") == Batch.score_chunk(None, "a card") == ("a card",)


def test_a_run_that_fails_says_why(tmp_path):
    with pytest.raises(RuntimeError, match=r"run of 2026-09 failed: (.|\n)*No module named 'dagster'"):
        dagster_night.run(sys.executable, tmp_path, tmp_path / "readings.db", "2026-09")
