"""A classifier of one digit for a phone's library: ``build.py OUT_DIR``, with the station litert_torch.

ML Kit takes image classifiers only: a coloured picture of one size in, a score for each label out. The reader
becomes one without any training: its network looks at one digit, and a digit's score is the highest
probability that it has at any step. Its weights are int8, a third of the bytes, its arithmetic float32:
MediaPipe refuses to load a file whose convolutions calculate in int8. ``metadata.py`` writes the metadata.
"""

import sys
from pathlib import Path

import torch
from torch import Tensor, nn

from fsdl_deploy.targets import modules
from fsdl_deploy.targets.single_digits import SIDE


class Classifier(nn.Module):
    """Pictures float32 ``[1, 64, 64, 3]``, 0 to 255 -> scores float32 ``[1, 10]``, of the digits 0 to 9."""

    def __init__(self):
        super().__init__()
        self.reader = modules.whole()

    def forward(self, pictures: Tensor) -> Tensor:
        grey = pictures.mean(3)
        ink, widths = self.reader.preprocess(grey, torch.full((1,), SIDE))
        log_probabilities, _ = self.reader.network(ink, widths)
        best = log_probabilities.exp().amax(1)[:, 1:]  # without the blank
        return best / best.sum(1, keepdim=True)


def main(out: Path) -> None:
    import litert_torch
    from litert_quantizer import Quantizer, recipe

    example = torch.rand(1, SIDE, SIDE, 3, generator=torch.Generator().manual_seed(0)) * 255
    digit = str(out / "digit.tflite")
    litert_torch.convert(Classifier().eval(), (example,)).export(digit)
    Quantizer(digit, recipe.weight_only_wi8_afp32()).quantize().export_model(digit, overwrite=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
