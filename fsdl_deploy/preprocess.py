"""What happens to a picture before the network sees it, as a torch module that is exported with it.

Each card is resized to the network's height and standardised by its own light. Knows nothing of digits.
"""

import torch
from torch import Tensor, nn

HEIGHT = 32
STEP = 4  # columns of ink to a time step of the network
MARGIN = 36  # columns of ink, a multiple of STEP: as far as a network of the course sees to its side


def resize_weights(size_in: int, size_out: int, scale: Tensor) -> Tensor:
    """Weights ``[size_out, size_in]`` of a linear resize by ``1 / scale``; shrinking averages (antialias).

    A plain matrix: the same numbers in torch and in every ONNX runtime, whose own resize operators
    differ in their rounding.
    """
    centre = (torch.arange(size_out, device=scale.device).float() + 0.5) * scale
    distance = (centre[:, None] - (torch.arange(size_in, device=scale.device).float() + 0.5)[None]).abs()
    return (1 - distance / scale.clamp(min=1.0)).clamp(min=0)


class Preprocess(nn.Module):
    """Pictures uint8 ``[N, H, W]``, widths int64 ``[N]`` -> ink float32 ``[N, 1, 32, W' + MARGIN]``, widths
    ``[N]``, the margin empty.

    Resizes to a height of 32 at the same aspect ratio, then standardises each picture by its own
    mean and deviation, so that the light does not matter; ink is positive. With ``constants``
    (mean, deviation) those replace the picture's own: the bug of ``v3-bad``.
    """

    def __init__(self, constants: tuple[float, float] | None = None):
        super().__init__()
        self.constants = constants

    def forward(self, pictures: Tensor, widths: Tensor) -> tuple[Tensor, Tensor]:
        _, height, width = pictures.shape
        device = pictures.device
        width_out = (width * HEIGHT + height - 1) // height + MARGIN
        scale = torch.full((), 1.0, device=device) * height / HEIGHT
        x = pictures.float() / 255
        own = (torch.arange(width, device=device)[None] < widths[:, None]).float()  # [N, W]
        rows = resize_weights(height, HEIGHT, scale)
        columns = resize_weights(width, width_out, scale)
        x = rows @ (x * own[:, None]) / rows.sum(1)[:, None]
        # Near a card's right edge only its own columns count, whatever stands in the padding.
        x = (x @ columns.T) / (own @ columns.T).clamp(min=1e-6)[:, None]  # [N, 32, W' + MARGIN]
        widths = (widths * HEIGHT + height - 1) // height
        mask = (torch.arange(width_out, device=device)[None] < widths[:, None]).float()[:, None]
        if self.constants is None:
            count = widths.float()[:, None, None] * HEIGHT
            mean = (x * mask).sum((1, 2), keepdim=True) / count
            deviation = (((x - mean) * mask) ** 2).sum((1, 2), keepdim=True).div(count).sqrt()
        else:
            mean, deviation = (torch.full((1, 1, 1), value, device=device) for value in self.constants)
        ink = (mean - x) / deviation.clamp(min=0.02) * mask
        return ink[:, None], widths
