"""Pruning takes out what counts least, and leaves a network that still is one."""

import pytest
import torch

from fsdl_deploy import weights
from fsdl_deploy.models import Student, multiply_adds
from fsdl_deploy.optimization import pruning


@pytest.fixture(scope="module")
def student() -> Student:
    return weights.load("v2").network


def answered(network: Student) -> torch.Tensor:
    torch.manual_seed(0)
    with torch.inference_mode():
        return network.eval()(torch.rand(2, 1, 32, 160), torch.tensor([160, 100]))[0]


def test_with_all_kept_the_answers_are_the_same(student):
    assert torch.equal(answered(pruning.without_channels(student, 1)), answered(student))
    assert torch.equal(answered(pruning.without_weights(student, 0)), answered(student))


def test_the_smallest_weights_become_zero_and_the_model_given_stays(student):
    before = {name: value.clone() for name, value in student.state_dict().items()}
    thin = pruning.without_weights(student, 0.8)
    layers = [
        name for name, value in thin.state_dict().items() if name.endswith("weight") and value.dim() > 1
    ]
    old = torch.cat([before[name].flatten() for name in layers])
    new = torch.cat([thin.state_dict()[name].flatten() for name in layers])
    assert abs((new == 0).float().mean() - 0.8) < 0.01
    assert old[new == 0].abs().max() <= old[new != 0].abs().min()
    assert all(torch.equal(before[name], value) for name, value in student.state_dict().items())
    assert multiply_adds(thin) == multiply_adds(student)


def test_a_channel_that_does_nothing_goes_first(student):
    idle = pruning.without_channels(student, 1)
    for layer in (idle.blocks[1], idle.blocks[2], idle.blocks[3]):  # added to each other
        for parameter in layer.pointwise[1].parameters():
            parameter.data[5] = 0
    means = idle.blocks[2].pointwise[1].running_mean
    narrow = pruning.without_channels(idle, 63 / 64)
    assert torch.equal(narrow.blocks[2].pointwise[1].running_mean, torch.cat([means[:5], means[6:]]))


def test_half_the_channels_are_about_a_quarter_of_the_work(student):
    narrow = pruning.without_channels(student, 0.5)
    assert 0.2 < multiply_adds(narrow) / multiply_adds(student) < 0.35
    assert answered(narrow).shape == answered(student).shape


@pytest.mark.parametrize(("prune", "share"), [(pruning.without_weights, 1.5), (pruning.without_channels, 0)])
def test_a_share_that_is_none_is_refused(student, prune, share):
    with pytest.raises(ValueError, match=f"not {share}"):
        prune(student, share)


def test_the_table_compares_with_its_first_row():
    common = {"cards": 10, "fixed": 0, "broken": 1, "bytes": 2048, "time_ratio": 0.5}
    rows = [
        {"name": "float32", "right": 9, "weights": 100, "multiply_adds": 1000} | common,
        {"name": "half", "right": 8, "weights": 50, "multiply_adds": 250} | common,
    ]
    text = str(pruning.table(rows))
    assert "8/10 80.0%" in text and "50%" in text and "25%" in text
