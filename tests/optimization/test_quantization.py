"""Post-training quantization: what fewer bits save, and for what a file is made anew."""

import pytest

from fsdl_deploy import weights
from fsdl_deploy.optimization.quantization import quantized


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("files")


def test_fewer_bits_are_fewer_bytes_and_the_file_is_made_once(folder):
    static = quantized("v2", "static", folder)
    written = static.stat().st_mtime_ns
    assert quantized("v2", "static", folder) == static and static.stat().st_mtime_ns == written
    whole = (weights.folder() / "v2.onnx").stat().st_size
    assert static.stat().st_size < 0.75 * whole
    assert quantized("v2", "float16", folder).stat().st_size < 0.75 * whole


def test_another_model_or_runtime_gets_a_file_of_its_own(folder, monkeypatch):
    file = quantized("v2", "float16", folder)
    with monkeypatch.context() as changed:
        changed.setattr("importlib.metadata.version", lambda _: "0.0.1")
        assert quantized("v2", "float16", folder) != file
    other = weights.verified("v1.onnx")
    monkeypatch.setattr(weights, "verified", lambda _: other)
    trained_again = quantized("v2", "float16", folder)
    assert trained_again != file and trained_again.read_bytes() != file.read_bytes()
