"""Rates come from the records: recomputed from their JSON by another way, and refused where they are not."""

import json
import shutil

import pytest

from fsdl_deploy.managed import measured_rates
from fsdl_deploy.managed.measured_rates import RateError
from fsdl_deploy.paths import ROOT


@pytest.fixture
def models(tmp_path):
    for name in ("ladder.json", "serving.json"):
        shutil.copy(ROOT / "models" / name, tmp_path)
    return tmp_path


def test_a_services_reading_is_the_median_of_the_loads_that_it_answered_in_full():
    rows = json.loads((ROOT / "models" / "serving.json").read_text(encoding="utf-8"))["rows"]
    took = sorted(
        row["cpu_ms"]
        for row in rows
        if row["library"] == "our service" and row["refused"] + row["errors"] == 0
    )
    rate = measured_rates.service()
    assert len(took) % 2 and rate.seconds == pytest.approx(took[len(took) // 2] / 1000)
    assert (rate.least, rate.most, rate.runs) == (took[0] / 1000, took[-1] / 1000, len(took))
    assert len(took) < sum(row["library"] == "our service" for row in rows), (
        "loads with refusals are left out"
    )


def test_a_rung_is_all_cores_over_its_rate():
    rungs = json.loads((ROOT / "models" / "ladder.json").read_text(encoding="utf-8"))["rungs"]
    first = next(row for row in rungs if row["rung"] == "teacher, padded")
    rate = measured_rates.rung("teacher, padded")
    assert rate.seconds == pytest.approx(2 / first["per_second"]) and rate.least == rate.most == rate.seconds
    assert 0 < measured_rates.around_the_model() < measured_rates.service().seconds


def test_the_table_says_where_there_is_only_one_run():
    spreads = [row[2] for row in measured_rates.table().rows]
    assert spreads[:-1] == ["one run"] * 4 and " to " in spreads[-1]


def test_the_functions_call_is_warm_and_its_start_cold():
    call = measured_rates.function_call()
    assert call.quickest <= call.median <= call.p99 < call.cold and call.median < 0.1 < call.cold
    assert call.calls >= 200 and (2000 * call.median) % 1 == pytest.approx(0, abs=1e-9)  # whole ms are billed


def test_a_gpu_is_there_only_where_one_was_recorded(models):
    assert measured_rates.gpu(models=models) is None
    rows = [
        {"model": "v2", "device": "cuda", "per_second": 9000.0},
        {"model": "v2", "device": "cuda", "per_second": 12000.0},
        {"model": "teacher", "device": "cuda", "per_second": 99000.0},
        {"model": "v2", "device": "cpu", "per_second": 50000.0},
    ]
    (models / "gpu.json").write_text(json.dumps({"gpu": "a GPU", "rows": rows}))
    assert measured_rates.gpu(models=models) == ("a GPU", 12000.0)
    (models / "gpu.json").write_text(json.dumps({"gpu": None, "rows": rows[3:]}))
    assert measured_rates.gpu(models=models) is None


def test_what_no_record_has_is_refused_by_name(models, tmp_path):
    with pytest.raises(RateError, match="no 'Tritton': its libraries are BentoML"):
        measured_rates.service("Tritton", models)
    with pytest.raises(RateError, match="no rung 'fastest'"):
        measured_rates.rung("fastest", models)
    with pytest.raises(RateError, match="there is no record"):
        measured_rates.service(models=tmp_path / "gone")
    other = tmp_path / "function.json"
    few = {"calls": 2, "quickest": 4.0, "median": 7.0, "p99": 7.0, "cold": 467.0}
    other.write_text(json.dumps({"date": "2026-11-29"} | few))
    with pytest.raises(RateError, match="fewer than 100 warm calls"):
        measured_rates.function_call(other)
