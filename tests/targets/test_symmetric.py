"""int8 for NVIDIA's runtimes: zero stands for zero, biases stay floats, and the file still reads."""

import onnx
import pytest
from onnx import numpy_helper

from fsdl_deploy import OnnxReader
from fsdl_deploy.cards import cards
from fsdl_deploy.optimization.rungs import FileReader
from fsdl_deploy.targets import symmetric


@pytest.fixture(scope="module")
def model():
    return symmetric.quantize([card.image for card in cards(20, "typical", "train", seed=3)])


def test_every_zero_is_zero_and_no_sum_is_an_integer(model):
    graph = onnx.load_from_string(model).graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    steps = [node for node in graph.node if node.op_type == "DequantizeLinear"]
    assert len(steps) > 20
    for node in steps:
        zero = constants.get(node.input[2])
        assert zero is not None and not zero.any() and zero.dtype.name == "int8"


def test_it_reads_nearly_all_cards_as_before(model):
    deck = [card.image for card in cards(40, seed=8)]
    expected = OnnxReader("v2").read(deck)
    readings = FileReader(model, "int8").read(deck)
    assert sum(a.digits == b.digits for a, b in zip(expected, readings, strict=True)) >= 37
