"""A layer whose weights are kept in 8 bits and multiplied out when it runs: what does a compiler make of it?

For compilers that have no step of their own that rounds a network. Knows nothing of targets.
"""

import torch
from torch import Tensor, nn


class EightBitLinear(nn.Module):
    """A linear layer with int8 weights and a scale for each output: float32 ``[N, in]`` -> ``[N, out]``."""

    def __init__(self, layer: nn.Linear):
        super().__init__()
        largest = layer.weight.detach().abs().amax(1, keepdim=True)
        self.register_buffer("scales", largest / 127)
        self.register_buffer("weights", (layer.weight.detach() / self.scales).round().to(torch.int8))
        self.register_buffer("bias", layer.bias.detach())

    def forward(self, inputs: Tensor) -> Tensor:
        return nn.functional.linear(inputs, self.weights.to(torch.float32) * self.scales, self.bias)


def both(size: int = 256) -> tuple[dict[str, nn.Module], Tensor]:
    """The same layer in float32 and in int8, by these names, and an example for both, float32 ``[1, size]``.

    A compiled file that keeps int8 saves three bytes a weight, of ``size`` ** 2.
    """
    torch.manual_seed(0)
    layer = nn.Linear(size, size).eval()
    return {"float32": layer, "int8": EightBitLinear(layer)}, torch.randn(1, size)
