"""Bad nights: each is judged in a copy, the good table stays as it is, and a good night raises no alarm."""

import shutil
from datetime import timedelta

import pytest

from fsdl_course.batch.bad_nights import NO_ERROR, BadNights, exit_status
from fsdl_course.batch.interrupted import readings_in
from fsdl_deploy.batch.job import Batch
from fsdl_deploy.batch.store import Store
from fsdl_deploy.reader import OnnxReader

MONTH = "2026-10"


@pytest.fixture(scope="module")
def good(month_of_cards, tmp_path_factory):
    file = tmp_path_factory.mktemp("nights") / "readings.db"
    store = Store(file)
    with Batch(month_of_cards, MONTH, store, OnnxReader()) as batch:
        batch.score(progress=False)
    store.close()
    return file


@pytest.fixture
def nights(good):
    return BadNights(good, "C0000003", MONTH)


def test_without_a_job_only_the_check_notices_and_only_when_a_day_has_passed(nights):
    early = nights.without_a_job("this morning", later=timedelta(hours=3))
    late = nights.without_a_job("tomorrow", later=timedelta(hours=30))
    assert (early.alarm, late.alarm) == (False, True)
    assert late.exit_status == "-" and late.customer_sees.endswith(NO_ERROR)
    assert "did not happen" in late.check_says


def test_an_empty_inbox_is_a_success_for_the_job_and_an_alarm_for_the_check(nights, good, tmp_path):
    (tmp_path / "2026-11").mkdir()
    before = readings_in(good)
    night = nights.after("elsewhere", "score", tmp_path, "--month", "2026-11")
    assert night.exit_status == 0 and night.alarm and "no cards of 2026-11" in night.check_says
    assert readings_in(good) == before and nights.without_a_job("", timedelta(hours=3)).alarm is False


def test_a_customer_without_a_reading_is_no_silent_failure(good):
    stranger = BadNights(good, "C0999999", MONTH).without_a_job("", timedelta(hours=3))
    assert NO_ERROR not in stranger.customer_sees


def test_a_night_that_was_cut_off_is_partial(nights):
    night = nights.cut_off("killed", version="v2", cards=120)
    assert night.alarm and "0 of 120" in night.check_says and NO_ERROR not in night.customer_sees


def test_an_exit_status_is_the_command_s(good, tmp_path):
    copy = shutil.copy(good, tmp_path / "copy.db")
    asked = [exit_status("freshness", "--store", copy, "--version", version) for version in ("v2", "v9")]
    assert asked == [0, 1]
