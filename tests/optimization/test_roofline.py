"""The roofline: work counted from a profile, the later of two bounds, what a core does at best."""

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from fsdl_deploy import weights
from fsdl_deploy.models import Student, multiply_adds
from fsdl_deploy.optimization import roofline
from fsdl_deploy.optimization.roofline import SIZES, Core


def graph(nodes, shape, constants) -> bytes:
    small = helper.make_graph(
        nodes, "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.ones(of, np.float32), name) for name, of in constants.items()],
    )  # fmt: skip
    return helper.make_model(
        small, opset_imports=[helper.make_opsetid("", 17)], ir_version=10
    ).SerializeToString()


def work(node, shape, weight):
    model = graph([node], shape, {"w": weight})
    layers, seconds = roofline.profile(
        model, {"x": np.ones(shape, np.float32), "not asked for": None}, calls=2
    )
    assert seconds > 0
    return next(layer for layer in layers if layer.multiply_adds)


def test_a_convolution_is_counted():
    node = helper.make_node("Conv", ["x", "w"], ["y"])
    layer = work(node=node, shape=[2, 16, 10, 12], weight=[32, 16, 3, 3])
    outputs = 2 * 32 * 8 * 10
    assert layer.kind == "convolution" and layer.multiply_adds == outputs * 16 * 9
    assert layer.moved == 4 * (2 * 16 * 10 * 12 + 32 * 16 * 9 + outputs) and layer.seconds >= 0


def test_a_convolution_of_each_channel_alone_is_depthwise():
    node = helper.make_node("Conv", ["x", "w"], ["y"], group=16)
    layer = work(node=node, shape=[1, 16, 10, 12], weight=[16, 1, 3, 3])
    assert layer.kind == "depthwise" and layer.multiply_adds == 16 * 8 * 10 * 9


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("size", "width", "step", "before"), [(4, 3, 1, 0), (8, 3, 1, 1), (7, 5, 2, 2), (6, 3, 3, 2)]
)
def test_what_meets_padding_is_no_work(channels, size, width, step, before):
    """A convolution of ones adds up as many ones as it has multiply-adds."""
    node = helper.make_node("Conv", ["x", "w"], ["y"], strides=[step, 1], pads=[before, 0, before, 0])
    layer = work(node=node, shape=[2, channels, size, 9], weight=[16, channels, width, 4])
    filters = torch.ones(16, channels, width, 4)
    output = nn.functional.conv2d(
        torch.ones(2, channels, size, 9), filters, stride=(step, 1), padding=(before, 0)
    )
    assert layer.multiply_adds == output.sum() and layer.kind == "convolution"


def test_a_matrix_product_is_counted():
    layer = work(node=helper.make_node("MatMul", ["x", "w"], ["y"]), shape=[3, 5, 7], weight=[7, 11])
    assert layer.kind == "product" and layer.multiply_adds == 3 * 5 * 11 * 7


def test_the_multiply_adds_of_v2_are_those_of_its_modules():
    picture = {"pictures": np.full((1, 64, 320), 255, np.uint8), "widths": np.array([320])}  # a line of 160
    layers, _ = roofline.profile(weights.verified("v2.onnx"), picture, calls=1)
    parts = {
        kind: sum(layer.multiply_adds for layer in layers if layer.kind == kind) for kind in roofline.KINDS
    }
    convolutions = parts["convolution"] + parts["depthwise"]
    # Its last layer is a matrix product, and so is the resizing before the first, which is not the network's.
    assert convolutions < multiply_adds(Student()) < convolutions + parts["product"]
    assert parts["depthwise"] < 0.2 * convolutions and parts["other"] == 0


def test_the_later_of_the_two_bounds_counts():
    core = Core(peak=1e9, bandwidth=(1e9,) * (len(SIZES) - 1) + (1e8,))
    assert core.least(1e6, 1e3) == pytest.approx(1e-3)  # a millisecond of multiply-adds
    assert core.least(1e3, 1e6) == pytest.approx(1e-3)  # a millisecond of bytes
    assert core.least(0, SIZES[-1]) == pytest.approx(SIZES[-1] / 1e8)
    assert core.least(0, 10 * SIZES[-1]) == pytest.approx(SIZES[-1] / 1e7)  # as the largest
    assert core.least(0, 0) == 0


def test_a_core_is_measured():
    core = roofline.measure()
    assert 1e8 < core.peak < 1e13
    assert len(core.bandwidth) == len(SIZES) and all(1e7 < rate < 1e13 for rate in core.bandwidth)


def test_a_graph_that_is_none_is_an_error():
    with pytest.raises(Exception, match=r"INVALID_PROTOBUF|protobuf"):
        roofline.profile(b"no graph", {})


def test_no_profile_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    assert work(node=node, shape=[2, 3], weight=[3, 4]).multiply_adds == 24
    assert not list(tmp_path.iterdir())
