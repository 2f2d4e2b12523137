"""GPU or cores: half the work needs twice the rate, and only a run with a GPU is a figure of a GPU."""

import pytest

from fsdl_course.optimization import gpu_figures
from fsdl_deploy.optimization.gpu_sharing import DeviceResult


def test_a_busy_gpu_must_be_as_many_times_faster_as_it_costs_more(shown_figures):
    gpu_figures.rates_needed({"small": 100.0}, 20)
    (axes,), _, _ = shown_figures[0]
    (line,) = axes.get_lines()
    needed = dict(zip(line.get_xdata(), line.get_ydata(), strict=True))
    assert needed[1] == 2000 and needed[0.1] == pytest.approx(20_000) and line.get_label() == "small"


@pytest.mark.parametrize("recorded", [None, {"gpu": None, "rows": []}])
def test_without_a_gpu_there_is_no_table(recorded, capsys):
    assert gpu_figures.on_record(recorded, 0.05, 1.0) is None
    assert "No figure of a GPU is on record" in capsys.readouterr().out


def test_a_run_with_a_gpu_has_its_prices_and_its_machine(capsys):
    import dataclasses

    given = {field.name: 1 for field in dataclasses.fields(DeviceResult)}
    row = DeviceResult(**given | {"model": "v2", "device": "cuda", "runtime": "torch", "per_second": 1000.0})
    record = {"gpu": "a card", "date": "2026-11-30", "machine": "a machine", "versions": {}, "rows": [row]}
    table = gpu_figures.on_record(record, 0.05, 3.6)
    assert table.rows[0][0] == "v2" and table.rows[0][-1] == "1.000"  # 3.6 dollars for 3.6 million
    assert "a machine a card" in capsys.readouterr().out
