"""Blocks: the multiply-adds that are counted by hand are those of ONNX Runtime's own profile."""

import numpy as np
import pytest

from fsdl_course.optimization import blocks
from fsdl_deploy.optimization import roofline


@pytest.fixture(scope="module")
def kinds():
    from torch import nn

    plain = [nn.Conv2d(32, 32, 3, padding=1), nn.ReLU()]
    depthwise = [nn.Conv2d(32, 32, 3, padding=1, groups=32), nn.ReLU(), nn.Conv2d(32, 32, 1), nn.ReLU()]
    return {"plain": plain, "depthwise-separable": depthwise}


@pytest.mark.parametrize("name", ["plain", "depthwise-separable"])
def test_the_count_is_that_of_the_layers_that_really_run(kinds, name):
    x = np.zeros((1, 32, blocks.HEIGHT, blocks.WIDTH), np.float32)
    layers, _ = roofline.profile(blocks.graph(kinds[name], times=2), {"x": x}, calls=1)
    assert sum(layer.multiply_adds for layer in layers) == 2 * blocks.multiply_adds(kinds[name]) > 0


def test_each_block_has_its_own_count_and_time(kinds):
    timed = blocks.compare(kinds, calls=2)
    assert list(timed) == list(kinds) and all(0 < block.seconds < 1 for block in timed.values())
    for name, block in timed.items():
        assert block.multiply_adds == blocks.TIMES * blocks.multiply_adds(kinds[name])


def test_the_share_of_the_best_is_of_the_rate():
    core = roofline.Core(peak=2e9, bandwidth=(1e9,) * len(roofline.SIZES))
    table = blocks.table({"plain": blocks.BlockTime(5_000_000, 0.005)}, core)
    assert table.rows == [["plain", "5.0", "50%"]]
