"""The two networks, and the whole reader around one: uint8 pictures in, digits out, in one torch module.

``MeterReader`` = ``preprocess.Preprocess`` (resize, standardise) + a network (``Teacher`` or ``Student``,
trained with CTC) + ``ctc.best_path``. All of it is exported to ONNX together, so a server in another
language needs no preprocessing of its own. Knows nothing about files, training or serving.

Cards in a batch have different widths: a picture batch is padded on the right and comes with its
``widths``. Everything beyond a card's own width is masked to zero after every layer, which is what
a convolution sees beyond the edge of a picture, so a card reads the same alone and in a batch.
``even`` makes a reader without those masks, for batches whose cards are all padded alike.

Sources: CTC, Graves et al. 2006; transformer, Vaswani et al. 2017; depthwise-separable
convolutions, Howard et al. 2017 (MobileNets).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fsdl_deploy.ctc import CLASSES, best_path
from fsdl_deploy.preprocess import HEIGHT, Preprocess


def _masks(x: Tensor, widths: Tensor) -> tuple[Tensor, Tensor]:
    """Masks ``[N, 1, 1, W]`` at 1/2 and 1/4 of the width of ``x``."""
    masks, length = [], x.shape[3]
    for _ in range(2):
        length, widths = (length + 1) // 2, (widths + 1) // 2
        masks.append(
            (torch.arange(length, device=x.device)[None] < widths[:, None]).to(x.dtype)[:, None, None]
        )
    return tuple(masks)


def _keep(x: Tensor, mask: Tensor | None) -> Tensor:
    return x if mask is None else x * mask


def _lengths(x: Tensor, widths: Tensor, mask: Tensor | None) -> Tensor:
    """Time steps of each card in ``[N, T, d]``: its own, or all."""
    return torch.zeros_like(widths) + x.shape[1] if mask is None else mask.sum((1, 2, 3)).long()


def conv(i: int, o: int, kernel=3, stride=1, groups=1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(i, o, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(o)
    )


class Residual(nn.Module):
    """Two 3 × 3 convolutions around a shortcut (He et al. 2015)."""

    def __init__(self, d: int):
        super().__init__()
        self.first, self.second = conv(d, d), conv(d, d)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        h = _keep(F.relu(self.first(x)), mask)
        return _keep(F.relu(x + self.second(h)), mask)


class Attention(nn.Module):
    """One pre-norm transformer encoder layer over ``[N, T, d]``."""

    def __init__(self, d: int, heads: int, dropout: float):
        super().__init__()
        self.heads, self.dropout = heads, nn.Dropout(dropout)
        self.norm1, self.norm2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.qkv, self.out = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.mlp = nn.Sequential(nn.Linear(d, 4 * d), nn.GELU(), nn.Linear(4 * d, d))

    def forward(self, x: Tensor, bias: Tensor | None) -> Tensor:
        n, t, d = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(n, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(2, 3) * (d // self.heads) ** -0.5
        weights = (scores if bias is None else scores + bias).softmax(-1)
        x = x + self.dropout(self.out((weights @ v).transpose(1, 2).reshape(n, t, d)))
        return x + self.dropout(self.mlp(self.norm2(x)))


class Teacher(nn.Module):
    """Convolutions, then a transformer encoder; accurate and expensive.

    Ink float32 ``[N, 1, 32, W]``, widths ``[N]`` -> log-probabilities ``[N, T, 11]``, lengths ``[N]``.
    """

    masked = True

    def __init__(self, d: int = 128, layers: int = 2):
        super().__init__()
        self.stem, self.block1 = conv(1, 32, 5, 2), Residual(32)
        self.down2, self.block2 = conv(32, 64, 3, 2), Residual(64)
        self.down3, self.block3 = conv(64, d, 3, (2, 1)), Residual(d)
        self.dropout = nn.Dropout2d(0.1)  # drops whole channels: few digits to learn from
        self.collapse = nn.Conv2d(d, d, (4, 1))
        self.position = nn.Conv1d(d, d, 5, padding=2, groups=d)
        self.layers = nn.ModuleList(Attention(d, 4, 0.15) for _ in range(layers))
        self.norm, self.head = nn.LayerNorm(d), nn.Linear(d, CLASSES)

    def forward(self, x: Tensor, widths: Tensor) -> tuple[Tensor, Tensor]:
        half, quarter = _masks(x, widths) if self.masked else (None, None)
        x = self.block1(_keep(F.relu(self.stem(x)), half), half)
        x = self.block2(_keep(F.relu(self.down2(x)), quarter), quarter)
        x = self.block3(_keep(F.relu(self.down3(self.dropout(x))), quarter), quarter)
        x = _keep(self.collapse(self.dropout(x)), quarter)[:, :, 0]  # [N, d, T]
        x = (x + self.position(x)).transpose(1, 2)
        bias = None if quarter is None else (quarter - 1) * 1e4  # [N, 1, 1, T]: none attends to the padding
        for layer in self.layers:
            x = layer(x, bias)
        return self.head(self.norm(x)).float().log_softmax(2), _lengths(x, widths, quarter)


class Separable(nn.Module):
    """A depthwise 3 × 3 convolution, then a pointwise one: the MobileNet block."""

    def __init__(self, i: int, o: int, stride=1):
        super().__init__()
        self.depthwise, self.pointwise = conv(i, i, 3, stride, groups=i), conv(i, o, 1)
        self.shortcut = i == o and stride == 1

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        h = self.pointwise(_keep(F.relu(self.depthwise(x)), mask))
        return _keep(F.relu(x + h if self.shortcut else h), mask)


class Student(nn.Module):
    """MobileNet-style; more than ten times fewer multiply-adds than the Teacher, the same interface."""

    masked = True

    def __init__(self, widths: tuple[int, int, int, int] = (16, 32, 64, 128)):
        super().__init__()
        a, b, c, d = widths
        self.stem = conv(1, a, 3, 2)
        self.at_half = nn.ModuleList([Separable(a, b)])
        self.at_quarter = nn.ModuleList(
            [
                Separable(b, c, 2), Separable(c, c), Separable(c, c),
                Separable(c, d, (2, 1)), Separable(d, d), Separable(d, d),
            ]
        )  # fmt: skip
        self.collapse = nn.Conv2d(d, d, (4, 1), groups=d)
        self.context = nn.Conv1d(d, d, 5, padding=2, groups=d)
        self.mix, self.head = nn.Linear(d, d), nn.Linear(d, CLASSES)

    def forward(self, x: Tensor, widths: Tensor) -> tuple[Tensor, Tensor]:
        half, quarter = _masks(x, widths) if self.masked else (None, None)
        x = _keep(F.relu(self.stem(x)), half)
        for block in self.at_half:
            x = block(x, half)
        for block in self.at_quarter:
            x = block(x, quarter)
        x = _keep(F.relu(self.collapse(x)), quarter)[:, :, 0]  # [N, d, T]
        x = (x + self.context(x)).transpose(1, 2)
        return self.head(F.relu(self.mix(x))).float().log_softmax(2), _lengths(x, widths, quarter)


class MeterReader(nn.Module):
    """The whole reader, pictures to digits, around one network.

    Pictures uint8 ``[N, H, W]``, widths int64 ``[N]`` -> the three outputs of ``best_path``.
    """

    def __init__(self, network: nn.Module, constants: tuple[float, float] | None = None):
        super().__init__()
        self.preprocess, self.network = Preprocess(constants), network

    def forward(self, pictures: Tensor, widths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return best_path(*self.network(*self.preprocess(pictures, widths)))


def even(reader: MeterReader) -> MeterReader:
    """The reader without masks, which cost a small network more than its convolutions gain in a batch.

    It reads a card as ``reader`` does when each card is padded to the next multiple of some pixels, alone
    as in a batch: the paper beyond the edge is then part of the picture. Give it batches of one such width.
    """
    reader.network.masked = False
    return reader


def multiply_adds(network: nn.Module, width: int = 160) -> int:
    """Multiply-adds of the matrix work for one line of ``width`` pixels, counted by torch."""
    from torch.utils.flop_counter import FlopCounterMode

    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        network.eval()(torch.zeros(1, 1, HEIGHT, width), torch.tensor([width]))
    return counter.get_total_flops() // 2
