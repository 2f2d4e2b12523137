"""GPU or no GPU: what is chosen to be measured, the arithmetic of the cost, and what is never overwritten.

The rows with a GPU are made up, for the arithmetic alone: no figure of them stands anywhere.
"""

import multiprocessing

import pytest
import torch

from fsdl_deploy import cli
from fsdl_deploy.measuring import records
from fsdl_deploy.optimization import gpu, gpu_cost, gpu_sharing
from fsdl_deploy.optimization.gpu_sharing import DeviceResult, Way

CPU_ROW = DeviceResult("v2", "onnx", "cpu", 4, 64, 2000.0, 30.0)
GPU_ROW = DeviceResult("v2", "torch", "cuda", 2, 64, 20_000.0, 6.0, 400.0)


@pytest.fixture
def here(monkeypatch):
    """A machine whose driver names a GPU, or none; what torch and ONNX Runtime can use is set too."""

    def set_up(name, torch_sees, providers):
        monkeypatch.setattr(gpu, "gpu_name", lambda: name)
        monkeypatch.setattr(gpu_sharing, "gpu_name", lambda: name)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: torch_sees)
        monkeypatch.setattr("onnxruntime.get_available_providers", lambda: providers)

    return set_up


def test_a_process_measures_and_ends():
    rows = gpu_sharing.measure([Way("v2", "onnx", "cpu")], (1, 8), rounds=1, seconds=0.02, processes=1)
    assert [(row.processes, row.batch) for row in rows] == [(1, 1), (1, 8)]
    assert all(row.per_second > 0 and row.p50 > 0 and row.memory is None for row in rows)
    assert not multiprocessing.active_children()


def test_a_way_that_does_not_start_is_named_and_leaves_nothing_behind():
    messages = []
    assert gpu_sharing.measure([Way("v2", "onnx", "cuda")], (1,), 1, 0.01, 1, messages.append) == []
    assert "left out: " in messages[1] and "CUDA" in messages[1]
    with pytest.raises(RuntimeError, match="there is no model file v9"):
        gpu_sharing.measure([Way("v9", "onnx", "cpu")], (1,), 1, 0.01, 1)
    assert not multiprocessing.active_children()


def test_what_is_measured_is_what_is_there(here):
    here(None, False, [])
    chosen, about = gpu_sharing.ways(["v2", "BERT-base"])
    assert (
        chosen == [Way("v2", "onnx", "cpu"), Way("BERT-base", "torch", "cpu")] and "no GPU is here" in about
    )
    here("Some GPU", False, ["CPUExecutionProvider"])
    chosen, about = gpu_sharing.ways(["v2"])
    assert chosen == [Way("v2", "onnx", "cpu")] and "FSDL_TORCH_INDEX" in about
    here("Some GPU", True, ["CUDAExecutionProvider"])
    chosen, about = gpu_sharing.ways(["v2", "BERT-base"])
    on_gpu = [(way.model, way.runtime) for way in chosen if way.device == "cuda"]
    both = [("v2", "torch"), ("v2", "onnx"), ("BERT-base", "torch"), ("BERT-base", "float16")]
    assert on_gpu == both and "Some GPU" in about
    here("Some GPU", False, ["CUDAExecutionProvider"])
    assert [way.runtime for way in gpu_sharing.ways(["v2", "BERT-base"])[0]] == ["onnx", "torch", "onnx"]


def test_the_cost_of_a_million():
    # 2,000 a second are 500 s for a million, of four cores at 0.36 dollars an hour each.
    assert gpu_cost.cost(CPU_ROW, core_price=0.36) == pytest.approx(0.2)
    assert gpu_cost.cost(CPU_ROW, core_price=0.36, used=0.1) == pytest.approx(2.0)
    assert gpu_cost.cost(GPU_ROW, gpu_price=3.6) == pytest.approx(0.05)


def test_break_even_is_where_both_cost_the_same():
    more = gpu_cost.break_even([CPU_ROW, GPU_ROW], "v2")
    assert more == pytest.approx(40)
    prices = {"core_price": 0.05, "gpu_price": 0.05 * more}
    assert gpu_cost.cost(CPU_ROW, **prices) == pytest.approx(gpu_cost.cost(GPU_ROW, **prices))
    assert gpu_cost.break_even([CPU_ROW], "v2") is None
    text = str(gpu.table([CPU_ROW, GPU_ROW]))
    assert "less than 40.0 of a core" in text and "assumptions" in text
    assert "cheaper" not in str(gpu.table([CPU_ROW]))


def test_a_run_with_a_gpu_is_not_overwritten_by_one_without(here, tmp_path):
    assert gpu.recorded(tmp_path) is None
    here(None, False, [])
    assert "written" in gpu.keep([CPU_ROW], tmp_path)
    assert gpu.recorded(tmp_path)["rows"] == [CPU_ROW] and not gpu.recorded(tmp_path)["gpu"]
    here("Some GPU", True, [])
    assert "written" in gpu.keep([CPU_ROW, GPU_ROW], tmp_path)
    record = gpu.recorded(tmp_path)
    assert (
        record["gpu"] == "Some GPU" and record["rows"] == [CPU_ROW, GPU_ROW] and "torch" in record["versions"]
    )
    before = (tmp_path / "gpu.json").read_bytes()
    for device in (None, "Some GPU"):  # none there, or one that was not measured
        here(device, False, [])
        assert "left as it is" in gpu.keep([CPU_ROW], tmp_path)
    assert (tmp_path / "gpu.json").read_bytes() == before
    assert records.read(tmp_path / "gpu.json")["words"] == gpu_sharing.WORDS


@pytest.mark.parametrize("words", [["--rounds", "0"], ["--seconds", "0"], ["--gpu-price", "-1"]])
def test_bad_options_are_refused_in_a_sentence(words, capsys):
    assert cli.main(["bench", "gpu", *words]) == 1
    assert "must be at least 1" in capsys.readouterr().err
