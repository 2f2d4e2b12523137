"""BERT's encoder in plain torch, with random weights: parameters and speed do not depend on them.

Twelve layers are BERT-base (Devlin et al. 2018), six are DistilBERT (Sanh et al. 2019), which also does
without token types and pooler.
"""

import torch
from torch import Tensor, nn

WORDS, LONGEST, WIDTH = 30_522, 512, 768


def _table(rows: int) -> nn.Embedding:
    """Normal numbers for each row. (What nn.Embedding starts with takes seconds on torch's device "meta".)"""
    return nn.Embedding.from_pretrained(torch.randn(rows, WIDTH), freeze=False)


class Bert(nn.Module):
    """Words int64 ``[N, T]`` -> float32 ``[N, 768]``, one vector a message."""

    def __init__(self, layers: int = 12):
        super().__init__()
        layer = nn.TransformerEncoderLayer(WIDTH, 12, 4 * WIDTH, activation="gelu", batch_first=True)
        self.words, self.places = _table(WORDS), _table(LONGEST)
        self.types = _table(2) if layers == 12 else None
        self.layers = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.pooler = nn.Linear(WIDTH, WIDTH) if layers == 12 else nn.Identity()
        self.eval()

    def forward(self, words: Tensor) -> Tensor:
        x = self.words(words) + self.places.weight[: words.shape[1]]
        if self.types is not None:
            x = x + self.types.weight[0]
        return self.pooler(self.layers(x)[:, 0])
