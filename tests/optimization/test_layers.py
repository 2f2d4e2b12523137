"""Layers under the roof: a dot's place is what it computes, and a row's share is of all the time."""

import numpy as np
import pytest

from fsdl_course.optimization import layers
from fsdl_deploy import weights
from fsdl_deploy.optimization import roofline
from fsdl_deploy.optimization.roofline import Layer

CORE = roofline.Core(peak=1e9, bandwidth=(1e8,) * len(roofline.SIZES))
NETWORK = layers.Profiled(
    [
        Layer("conv", "convolution", 2_000_000, 1_000_000, 0.02),  # its bytes take 0.01 s, its work 0.002 s
        Layer("resize", "other", 0, 1_000_000, 0.06),
    ],
    seconds=0.05,
)


def test_a_dot_is_at_its_work_for_a_byte_and_its_rate(shown_figures):
    layers.under_the_roof(CORE, {"a network": NETWORK})
    (axes,), _, _ = shown_figures[0]
    dots = np.concatenate([each.get_offsets() for each in axes.collections])
    assert dots.tolist() == [pytest.approx([2.0, 1e8])] and axes.get_title() == "a network"
    roof = axes.get_lines()[0]
    assert roof.get_ydata().max() == 1e9 and roof.get_ydata()[0] == pytest.approx(1e8 * roof.get_xdata()[0])


def test_shares_are_of_the_layers_time_and_the_last_row_is_of_the_calls():
    rows = layers.table(CORE, {"net": NETWORK}).rows
    assert rows[0] == ["net, 2 layers called", "convolution", "25%", "50%"]
    assert rows[1][2:] == ["0%", ""]  # no depthwise layer
    assert rows[3][1:] == ["other", "75%", "17%"]
    assert rows[4] == ["net", "the calls, 50.0 ms", "", "40%"]


def test_every_batch_of_the_deck_is_profiled():
    deck = [np.full((32, width), 255, np.uint8) for width in (100, 100, 180)]
    graph = weights.verified("v2.onnx")
    single, pairs = layers.profiled(graph, deck[:1], size=1), layers.profiled(graph, deck, size=2)
    assert len(pairs.layers) == 2 * len(single.layers) > 0 and pairs.seconds > 0
