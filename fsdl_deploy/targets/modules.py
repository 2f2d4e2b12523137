"""The reader's torch modules for a conversion: whole, or the network alone, from the published weights

A conversion starts here, so that every target gets the same module. Knows nothing of targets.
"""

import torch
from torch import Tensor, nn

from fsdl_deploy import weights
from fsdl_deploy.preprocess import HEIGHT, MARGIN, STEP


class BareNetwork(nn.Module):
    """Ink float32 ``[1, 1, 32, C]``, C a multiple of 4 with 36 empty columns at least on the right ->
    log-probabilities ``[1, C / 4 - 9, 11]``.
    """

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, ink: Tensor) -> Tensor:
        return self.network(ink, torch.full((1,), ink.shape[3] - MARGIN))[0]


def whole(version: str = "v2") -> nn.Module:
    """Pictures uint8 ``[N, H, W]``, widths int64 ``[N]`` -> the three outputs of ``ctc.best_path``."""
    return weights.load(version)


def masked(version: str = "v2") -> nn.Module:
    """Ink float32 ``[N, 1, 32, C]``, widths int64 ``[N]`` -> log-probabilities ``[N, T, 11]``, lengths.

    The Student masks nothing since it cuts its margin off: ``bare`` gives the same log-probabilities.
    """
    return weights.load(version).network.eval()


def bare(version: str = "v2") -> nn.Module:
    """Ink float32 ``[1, 1, 32, C]`` -> log-probabilities ``[1, T, 11]``, for ``reading_program.bare``."""
    return BareNetwork(weights.load(version).network).eval()


def folded(version: str = "v2") -> nn.Module:
    """``bare`` with each BatchNorm folded into its convolution: fewer operators, the same answers."""
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    network = bare(version)
    for module in list(network.modules()):
        if isinstance(module, nn.Sequential) and len(module) == 2 and isinstance(module[1], nn.BatchNorm2d):
            module[0], module[1] = fuse_conv_bn_eval(module[0], module[1]), nn.Identity()
    return network.eval()


def example(columns: int) -> Tensor:
    """Ink of random numbers with an empty margin, float32 ``[1, 1, 32, columns]``: to trace a module with."""
    if columns % STEP or columns <= MARGIN:
        raise ValueError(f"{columns} columns are not a multiple of {STEP} with a margin of {MARGIN}")
    ink = torch.randn(1, 1, HEIGHT, columns, generator=torch.Generator().manual_seed(0))
    ink[..., -MARGIN:] = 0
    return ink
