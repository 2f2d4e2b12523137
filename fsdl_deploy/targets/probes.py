"""Small torch modules, an operation each: what models are made of, to be tried on every runtime

Each has an example, and most have one answer only; so a runtime either gives it, gives another, or refuses.
Knows nothing of runtimes.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fsdl_deploy.targets.catalogue import OPEN


class Calls(nn.Module):
    """A function of tensors as a module without weights."""

    def __init__(self, function: Callable):
        super().__init__()
        self.function = function

    def forward(self, *inputs: Tensor):
        return self.function(*inputs)


class First(nn.Module):
    """The first output of a module that has several."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x)[0]


@dataclass(frozen=True)
class Probe:
    """An operation in words, the module that does it, its example, and what needs it.

    ``other`` is a second example where the first one's last axis is left open.
    """

    name: str
    needed_by: str
    module: nn.Module
    inputs: tuple[Tensor, ...]
    other: tuple[Tensor, ...] | None = None

    def exported(self) -> torch.export.ExportedProgram:
        """The module as torch.export gives it. Raises what torch raises where it cannot."""
        # Else the export keeps to the sizes near the example's.
        with torch.backends.mkldnn.flags(enabled=False):
            return torch.export.export(self.module.eval(), self.inputs, dynamic_shapes=self.open_sizes())

    def open_sizes(self) -> tuple | None:
        """Which sizes are left open, as torch.export wants to be told; None where all are fixed."""
        if not self.other:
            return None
        least, most = OPEN
        return ({self.inputs[0].dim() - 1: torch.export.Dim("width", min=least, max=most)},)

    def asked(self) -> tuple[Tensor, ...]:
        """The inputs that are compared."""
        return self.other or self.inputs

    def answer(self) -> list[Tensor]:
        """What torch itself says of ``asked``."""
        with torch.inference_mode():
            answer = self.module.eval()(*self.asked())
        return list(answer) if isinstance(answer, tuple | list) else [answer]


def every() -> dict[str, Probe]:
    """All operations by name, always with the same numbers."""
    torch.manual_seed(0)
    picture, wide = torch.randn(1, 4, 16, 16), torch.randn(1, 4, 16, 24)
    tokens, table = torch.randn(1, 6, 16), torch.randn(5, 8)
    heads = torch.randn(1, 2, 6, 8, generator=torch.Generator().manual_seed(1))
    whole = torch.tensor([[3, 0, 4, 1, 1, 2]])
    places = torch.tensor([[0, 3], [2, 2], [1, 7], [5, 0], [4, 4]])
    halves = torch.tensor([[0.25, 0.75, -0.25, 1.25]])
    grey = torch.randint(0, 256, (1, 12, 12), dtype=torch.uint8)
    probes = [
        _calls("convolution", "every network for pictures", nn.Conv2d(4, 8, 3, padding=1), picture),
        _calls("depthwise convolution", "MobileNet, our student", nn.Conv2d(4, 4, 3, groups=4), picture),
        _calls("transposed convolution", "segmentation", nn.ConvTranspose2d(4, 2, 2, stride=2), picture),
        _calls("convolution in 3 dimensions", "video", nn.Conv3d(2, 2, 2), torch.randn(1, 2, 4, 6, 6)),
        Probe("any width", "our cards", nn.Conv2d(4, 8, 3, padding=1), (picture,), (wide,)),
        _calls("layer normalization and GELU", "transformers", _normalized(), tokens),
        _calls("attention", "transformers", F.scaled_dot_product_attention, heads, heads, heads),
        _calls("encoder layer", "our teacher", _encoder(), tokens),
        _calls("embedding", "text", nn.Embedding(5, 8), whole),
        _calls("LSTM", "older readers of text", First(nn.LSTM(16, 8, batch_first=True)), tokens),
        _calls("GRU", "speech", First(nn.GRU(16, 8, batch_first=True)), tokens),
        _calls("einsum", "attention by hand", _products, tokens, tokens),
        _calls("resize, bilinear", "photographs", _resized("bilinear"), picture),
        _calls("resize, bicubic", "photographs", _resized("bicubic"), picture),
        _calls("resize, with a filter", "our picture, as Pillow does it", _filtered, picture),
        _calls("grid sample", "straightening a card", _straightened, picture),
        _calls("padding by reflection", "style transfer", _reflected, picture),
        _calls("uint8 into float32", "pictures as they come", lambda x: x.float() / 255, grey),
        _calls("integers of 64 bits", "tokens and lengths", lambda x: x // 2 - x % 3, whole - 2),
        _calls("float64", "statistics", lambda x: (x.double() * 1e-9 + 1) - 1, tokens),
        _calls("gather", "picking by index", lambda x, at: x.gather(1, at), table, places),
        _calls("scatter, summed", "graphs, our former decoder", _scattered, table),
        _calls("running sum", "our decoder", lambda x: x.cumsum(1), tokens),
        _calls("sort", "ranking", lambda x: tuple(x.sort(1)), tokens),
        _calls("the k largest", "beams, detection", lambda x: tuple(x.topk(3)), tokens),
        _calls("where", "masks", lambda x: torch.where(x > 0, x, x * 0.1), tokens),
        _calls("one-hot", "classes", lambda x: F.one_hot(x, 5), whole),
        _calls("search in a sorted list", "buckets", _searched, tokens),
        _calls("an answer as long as the data says", "detection", lambda x: x[x > 0], tokens),
        _calls("a branch", "early exit", _branched, tokens),
        _calls("Fourier transform", "sound", lambda x: torch.fft.rfft(x).abs(), tokens),
        _calls("error function", "GELU by hand", torch.erf, tokens),
        _calls("rounding to the even", "int8 by hand", lambda x: (x * 2).round(), halves),
    ]  # fmt: skip
    return {probe.name: probe for probe in probes}


def _calls(name: str, needed_by: str, function: Callable, *inputs: Tensor) -> Probe:
    """A probe with one example."""
    return Probe(name, needed_by, function if isinstance(function, nn.Module) else Calls(function), inputs)


def _normalized() -> nn.Module:
    return nn.Sequential(nn.LayerNorm(16), nn.Linear(16, 16), nn.GELU())


def _encoder() -> nn.Module:
    return nn.TransformerEncoderLayer(16, 2, 32, 0.0, batch_first=True)


def _products(a: Tensor, b: Tensor) -> Tensor:
    return torch.einsum("bij,bkj->bik", a, b)


def _resized(mode: str) -> Callable:
    return lambda x: F.interpolate(x, size=(10, 10), mode=mode, align_corners=False)


def _filtered(x: Tensor) -> Tensor:
    return F.interpolate(x, size=(10, 10), mode="bilinear", antialias=True, align_corners=False)


def _reflected(x: Tensor) -> Tensor:
    return F.pad(x, (2, 2, 2, 2), mode="reflect")


def _searched(x: Tensor) -> Tensor:
    return torch.searchsorted(torch.tensor([-1.0, 0.0, 1.0]), x)


def _straightened(x: Tensor) -> Tensor:
    turned = torch.tensor([[[0.9, 0.2, 0.0], [-0.2, 0.9, 0.1]]])
    return F.grid_sample(x, F.affine_grid(turned, [1, 4, 16, 16], align_corners=False), align_corners=False)


def _scattered(x: Tensor) -> Tensor:
    return torch.zeros(3, 8).index_add(0, torch.tensor([0, 2, 2, 1, 0]), x)


def _branched(x: Tensor) -> Tensor:
    return torch.cond(x.sum() > 0, lambda a: a * 2, lambda a: a - 1, (x,))
