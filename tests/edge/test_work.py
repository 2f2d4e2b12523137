"""Counted work: right by hand on a small graph, the same each time, and more for a larger model."""

import pytest

from fsdl_deploy import weights
from fsdl_deploy.edge import work


@pytest.fixture(scope="module")
def counted():
    return {name: work.of(weights.verified(f"{name}.onnx")) for name in ("v2", "teacher")}


def test_it_does_not_waver(counted):
    assert counted["v2"] == work.of(weights.verified("v2.onnx"))


def test_it_is_what_torch_counts(counted):
    from fsdl_deploy.models import multiply_adds

    # torch counts filters on the padding, too, and no resize: about the same, not the same
    width = round(32 / work._card()[0].shape[1] * work._card()[0].shape[2])
    for name, of in counted.items():
        assert of.multiply_adds == pytest.approx(multiply_adds(weights.load(name).network, width), rel=0.25)


def test_a_larger_model_is_more_work(counted):
    small, large = counted["v2"], counted["teacher"]
    assert large.multiply_adds > 5 * small.multiply_adds and large.size > 3 * small.size
    assert small.compressed < small.size == len(weights.verified("v2.onnx"))


def test_operators_are_those_of_the_graph():
    counts = work.operators(weights.verified("v2.onnx"))
    assert counts["Conv"] > 10 and not {"ScatterElements", "ScatterND"} & counts.keys()


@pytest.mark.parametrize("file", [b"", b"not a graph", weights.verified("v2.safetensors")])
def test_what_is_no_reader_is_refused(file):
    with pytest.raises(work.WorkError, match="no reader in ONNX"):
        work.of(file)


def test_gzip_takes_from_weights_what_the_export_added_and_little_else():
    graph = weights.verified("v2.onnx")
    of = work.compressible(graph)
    assert of["the weights"].size == of["random float32"].size == 2 * of["the weights as float16"].size
    assert of["the weights"].saved > 2 * of["random float32"].saved > 0
    assert of["the weights"].saved > 2 * of["the weights as float16"].saved
    assert 0.5 < work.halves(graph) < 1


def test_a_graph_without_weights_is_refused():
    import onnx

    empty = onnx.helper.make_model(onnx.helper.make_graph([], "empty", [], []))
    with pytest.raises(work.WorkError, match="no float32 weights"):
        work.halves(empty.SerializeToString())
