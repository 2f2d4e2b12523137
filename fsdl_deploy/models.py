"""The two networks, and the whole reader around one: uint8 pictures in, digits out, in one torch module.

``MeterReader`` = ``preprocess.Preprocess`` (resize, standardise) + a network (``Teacher`` or ``Student``,
trained with CTC) + ``ctc.best_path``. All of it is exported to ONNX together, so a server in another
language needs no preprocessing of its own. Knows nothing about files, training or serving.

Cards in a batch have different widths: a picture batch is padded on the right and comes with its
``widths``. ``Preprocess`` adds MARGIN empty columns to the widest card, as many as the convolutions see to
their side, and the networks cut them off again. So what stands beyond a card's own width changes nothing, and
it reads the same alone and in any batch. A mask after every layer would do so too, and cost the small network
more than its convolutions.

Sources: CTC, Graves et al. 2006; transformer, Vaswani et al. 2017; depthwise-separable
convolutions, Howard et al. 2017 (MobileNets).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fsdl_deploy.ctc import CLASSES, best_path
from fsdl_deploy.preprocess import HEIGHT, MARGIN, STEP, Preprocess


def steps(widths: Tensor) -> Tensor:
    """The time steps of cards of so many columns: one for every STEP."""
    return (widths + STEP - 1) // STEP


def _without_margin(x: Tensor) -> Tensor:
    return x[:, :, : -MARGIN // STEP]


def conv(i: int, o: int, kernel=3, stride=1, groups=1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(i, o, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(o)
    )


class Residual(nn.Module):
    """Two 3 × 3 convolutions around a shortcut (He et al. 2015)."""

    def __init__(self, d: int):
        super().__init__()
        self.first, self.second = conv(d, d), conv(d, d)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.second(F.relu(self.first(x))))


class Attention(nn.Module):
    """One pre-norm transformer encoder layer over ``[N, T, d]``."""

    def __init__(self, d: int, heads: int, dropout: float):
        super().__init__()
        self.heads, self.dropout = heads, nn.Dropout(dropout)
        self.norm1, self.norm2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.qkv, self.out = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.mlp = nn.Sequential(nn.Linear(d, 4 * d), nn.GELU(), nn.Linear(4 * d, d))

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        n, t, d = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(n, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(2, 3) * (d // self.heads) ** -0.5
        weights = (scores + bias).softmax(-1)
        x = x + self.dropout(self.out((weights @ v).transpose(1, 2).reshape(n, t, d)))
        return x + self.dropout(self.mlp(self.norm2(x)))


class Teacher(nn.Module):
    """Convolutions, then a transformer encoder; accurate and expensive.

    Ink float32 ``[N, 1, 32, W + MARGIN]``, widths ``[N]`` -> log-probabilities ``[N, T, 11]``, lengths.
    """

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
        x = self.block1(F.relu(self.stem(x)))
        x = self.block2(F.relu(self.down2(x)))
        x = self.block3(F.relu(self.down3(self.dropout(x))))
        x = self.collapse(self.dropout(x))[:, :, 0]  # [N, d, T]
        x = _without_margin(x + self.position(x)).transpose(1, 2)
        lengths = steps(widths)
        inside = torch.arange(x.shape[1], device=x.device)[None] < lengths[:, None]
        bias = (inside.to(x.dtype) - 1)[:, None, None] * 1e4  # [N, 1, 1, T]: none attends to the padding
        for layer in self.layers:
            x = layer(x, bias)
        return self.head(self.norm(x)).float().log_softmax(2), lengths


class Separable(nn.Module):
    """A depthwise 3 × 3 convolution, then a pointwise one: the MobileNet block."""

    def __init__(self, i: int, o: int, stride=1):
        super().__init__()
        self.depthwise, self.pointwise = conv(i, i, 3, stride, groups=i), conv(i, o, 1)
        self.shortcut = i == o and stride == 1

    def forward(self, x: Tensor) -> Tensor:
        h = self.pointwise(F.relu(self.depthwise(x)))
        return F.relu(x + h if self.shortcut else h)


class Student(nn.Module):
    """MobileNet-style; more than ten times fewer multiply-adds than the Teacher, the same interface."""

    def __init__(self, widths: tuple[int, int, int, int] = (16, 32, 64, 128)):
        super().__init__()
        a, b, c, d = widths
        self.stem = conv(1, a, 3, 2)
        self.blocks = nn.Sequential(
            Separable(a, b),
            Separable(b, c, 2), Separable(c, c), Separable(c, c),
            Separable(c, d, (2, 1)), Separable(d, d),
        )  # fmt: skip
        # Half of all weights: what a whole column says is more than the sum of what its rows say.
        self.collapse = nn.Conv2d(d, d, (4, 1))
        self.context = nn.Conv1d(d, d, 5, padding=2, groups=d)
        self.mix, self.head = nn.Linear(d, d), nn.Linear(d, CLASSES)

    def forward(self, x: Tensor, widths: Tensor) -> tuple[Tensor, Tensor]:
        x = self.blocks(F.relu(self.stem(x)))
        x = F.relu(self.collapse(x))[:, :, 0]  # [N, d, T]
        x = _without_margin(x + self.context(x)).transpose(1, 2)
        return self.head(F.relu(self.mix(x))).float().log_softmax(2), steps(widths)


class MeterReader(nn.Module):
    """The whole reader, pictures to digits, around one network.

    Pictures uint8 ``[N, H, W]``, widths int64 ``[N]`` -> the three outputs of ``best_path``.
    """

    def __init__(self, network: nn.Module, constants: tuple[float, float] | None = None):
        super().__init__()
        self.preprocess, self.network = Preprocess(constants), network

    def forward(self, pictures: Tensor, widths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return best_path(*self.network(*self.preprocess(pictures, widths)))


def multiply_adds(network: nn.Module, width: int = 160) -> int:
    """Multiply-adds of the matrix work for one line of ``width`` pixels, counted by torch."""
    from torch.utils.flop_counter import FlopCounterMode

    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        network.eval()(torch.zeros(1, 1, HEIGHT, width + MARGIN), torch.tensor([width]))
    return counter.get_total_flops() // 2
