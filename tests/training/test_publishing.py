import numpy as np
import pytest
import torch

from fsdl_deploy import weights
from fsdl_deploy.models import Student
from fsdl_deploy.reader import OnnxReader, TorchReader
from fsdl_deploy.training.publishing import publish


@pytest.mark.thorough
def test_published_models_are_verified_and_agree(tmp_path, monkeypatch):
    torch.manual_seed(0)
    into = tmp_path / "models"
    publish({"v2": Student().eval()}, (0.9, 0.2), tmp_path / "staging", into)
    monkeypatch.setenv("FSDL_MODELS", str(into))
    image = np.random.default_rng(0).integers(0, 256, (64, 200), dtype=np.uint8)
    onnx, pytorch = OnnxReader("v2").read([image])[0], TorchReader("v2").read([image])[0]
    assert onnx.digits == pytorch.digits and onnx.confidence == pytest.approx(pytorch.confidence, abs=1e-4)
    assert sorted(file.name for file in into.iterdir()) == ["SHA256SUMS", "v2.onnx", "v2.safetensors"]
    assert weights.metadata(weights.verified("v2.safetensors"))["version"] == "v2"
