"""Weights in 8 bits: near the layer that they are of, and in a quarter of the bytes."""

import torch

from fsdl_deploy.targets import eight_bits


def test_the_layer_in_8_bits_answers_nearly_the_same_with_a_quarter_of_the_bytes():
    layers, example = eight_bits.both(64)
    exact, rounded = (layers[name](example).detach() for name in ("float32", "int8"))
    assert 0 < (exact - rounded).abs().max() < 0.02 * exact.abs().max()
    weights = layers["int8"].weights
    assert weights.dtype == torch.int8 and weights.abs().max() == 127
    assert 4 * weights.nbytes == layers["float32"].weight.nbytes


def test_each_output_has_a_scale_of_its_own():
    layer = torch.nn.Linear(3, 2)
    layer.weight.data = torch.tensor([[1.0, -2.0, 0.5], [0.011, 0.02, -0.005]])
    rounded = eight_bits.EightBitLinear(layer)
    assert torch.allclose(rounded.scales.ravel() * 127, torch.tensor([2.0, 0.02]))
    assert rounded.weights.tolist() == [[64, -127, 32], [70, 127, -32]]
