"""The torch modules that conversions start from: one network, four ways to hand it over."""

import pytest
import torch

from fsdl_deploy import weights
from fsdl_deploy.targets import modules


@pytest.mark.parametrize("columns", [100, 160, 272])
def test_each_form_of_the_network_says_the_same(columns):
    ink, widths = modules.example(columns), torch.tensor([columns - 36])
    with torch.inference_mode():
        expected, lengths = weights.load("v2").network(ink, widths)
        assert torch.equal(modules.bare()(ink), expected)
        assert torch.equal(modules.masked()(ink, widths)[0], expected)
        folded = modules.folded()(ink)
    assert expected.shape == (1, columns // 4 - 9, 11) and lengths.item() == columns // 4 - 9
    assert torch.allclose(folded, expected, atol=1e-4)
    assert (ink[..., -36:] == 0).all() and (ink[..., :-36] != 0).any()


def test_folding_leaves_no_batch_norm():
    kinds = {type(module).__name__ for module in modules.folded().modules()}
    assert "BatchNorm2d" not in kinds and "Conv2d" in kinds


@pytest.mark.parametrize("columns", [36, 161])
def test_an_example_has_a_margin_and_whole_steps(columns):
    with pytest.raises(ValueError, match="multiple of 4"):
        modules.example(columns)
