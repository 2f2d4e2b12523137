"""Which device a reader gets. There need be no GPU here: what is tested is the choice, and what is said."""

import numpy as np
import onnxruntime
import pytest
import torch

from fsdl_deploy import cli, devices, weights
from fsdl_deploy.devices import CPU, CUDA, DeviceError
from fsdl_deploy.reader import OnnxReader, TorchReader

CARD = np.full((32, 96), 200, np.uint8)


@pytest.fixture
def offered(monkeypatch):
    """An ONNX Runtime that offers CUDA, as a build with it does on any machine; its sessions are real."""
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CUDA, CPU])
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: None)


class Session:
    """A session that got the GPU: it only notes what it is told."""

    def __init__(self, graph, options, providers):
        self.asked, self.fallback = providers, True

    def get_providers(self):
        return [CUDA, CPU]

    def disable_fallback(self):
        self.fallback = False


def test_the_processor_is_the_default_and_asks_for_nothing_else():
    for reader in (OnnxReader(), TorchReader()):
        assert reader.device == "cpu" and len(reader.read([CARD])) == 1
    assert OnnxReader().session.get_providers() == [CPU]


@pytest.mark.skipif(CUDA in onnxruntime.get_available_providers(), reason="this ONNX Runtime has CUDA")
def test_without_cuda_auto_is_the_processor_and_cuda_an_error_that_names_the_package(recwarn):
    assert OnnxReader(device="auto").device == "cpu" and not recwarn
    with pytest.raises(DeviceError, match=r"built without CUDA.*onnxruntime-gpu"):
        OnnxReader(device="cuda")


@pytest.mark.skipif(torch.cuda.is_available(), reason="torch has a GPU here")
def test_torch_says_what_is_missing(monkeypatch):
    assert TorchReader(device="auto").device == "cpu"
    monkeypatch.setattr(torch.version, "cuda", None)
    with pytest.raises(DeviceError, match="built without CUDA"):
        TorchReader(device="cuda")
    monkeypatch.setattr(torch.version, "cuda", "12.9")
    with pytest.raises(DeviceError, match=r"finds no GPU.*CUDA 12\.9"):
        TorchReader(device="cuda")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
@pytest.mark.filterwarnings("ignore:Specified provider")
def test_a_gpu_that_does_not_start_is_never_silent(offered):
    """ONNX Runtime itself gives a session on the processor."""
    with pytest.raises(DeviceError, match="could not start it: nvidia-smi"):
        OnnxReader(device="cuda")
    with pytest.warns(UserWarning, match="computes on the processor"):
        reader = OnnxReader(device="auto")
    assert reader.device == "cpu" and len(reader.read([CARD])) == 1


@pytest.mark.parametrize("device", ["cuda", "auto"])
def test_a_gpu_that_starts_is_used_and_not_left_at_the_first_failure(offered, monkeypatch, device):
    monkeypatch.setattr(onnxruntime, "InferenceSession", Session)
    reader = OnnxReader(device=device)
    assert reader.device == "cuda" and reader.session.asked[0][0] == CUDA and not reader.session.fallback


@pytest.mark.parametrize("version", weights.VERSIONS)
def test_all_tensors_of_the_network_follow_its_inputs(version):
    """On torch's device ``meta`` nothing is computed, and a tensor made on the processor is an error."""
    module = weights.load(version).to("meta")
    pictures = torch.zeros(2, 50, 96, dtype=torch.uint8, device="meta")
    outputs = module(pictures, torch.zeros(2, dtype=torch.long, device="meta"))
    assert {output.device.type for output in outputs} == {"meta"}


@pytest.mark.parametrize("make", [devices.torch_device, lambda device: OnnxReader(device=device)])
def test_a_device_that_is_none_is_an_error(make):
    with pytest.raises(ValueError, match="no device 'gpu': choose cpu, cuda, auto"):
        make("gpu")


@pytest.mark.skipif(CUDA in onnxruntime.get_available_providers(), reason="this ONNX Runtime has CUDA")
@pytest.mark.parametrize("command", [["read", "x.png"], ["serve", "--port", "0"]])
def test_commands_pass_the_device_on_and_say_what_is_missing(command, capsys):
    assert cli.main([*command, "--device", "cuda"]) == 1
    assert "onnxruntime-gpu" in capsys.readouterr().err
