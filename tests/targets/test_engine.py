"""TensorRT's parser, without a GPU: what it takes of our graph, and what it says where none is."""

import pytest

from fsdl_course.setup.stations import ensure
from fsdl_deploy import weights
from fsdl_deploy.running import stations
from fsdl_deploy.targets import catalogue, programs


@pytest.fixture(scope="module")
def target():
    if sentence := stations.station("tensorrt").lacks():
        pytest.skip(sentence)
    ensure("tensorrt")
    return catalogue.target("tensorrt")


def test_the_whole_reader_is_accepted_in_any_width(target):
    report = programs.ask(target, "engine.py", (), weights.folder() / "v2.onnx")
    assert report["refused"] == [] and report["bytes"] > 1e6
    assert report["tensors"]["pictures"].endswith("(-1, -1, -1)")


def test_a_file_that_is_no_graph_is_refused_with_a_reason(target, tmp_path):
    (tmp_path / "no.onnx").write_bytes(b"no graph")
    assert programs.ask(target, "engine.py", (), tmp_path / "no.onnx")["refused"]
