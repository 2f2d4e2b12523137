"""Batches in figures: latency against throughput for each deadline, and what padding costs a batch"""

from collections.abc import Mapping, Sequence

import numpy as np

from fsdl_deploy import figures
from fsdl_deploy.measuring.load import Load, closed_loop
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.measuring.turns import in_turns
from fsdl_deploy.picture import Image
from fsdl_deploy.reader import OnnxReader
from fsdl_deploy.service.batching import Batcher

Group = tuple[np.ndarray, np.ndarray]  # pictures uint8 [N, H, W] and their widths int64 [N]


def callers(batcher: Batcher, deck: Sequence[Image], users: int, calls: int) -> Load:
    """``users`` callers in a closed loop, who give one card of ``deck`` each, one after the other."""
    numbers = iter(range(10**9))

    def call():
        return batcher.submit(deck[next(numbers) % len(deck)]).result()

    return closed_loop(call, users, calls, warmup=users)


def deadlines(curves: Mapping[float, Sequence[Load]]) -> None:
    """Display the latency that nine of ten calls stay below against throughput; a line for each deadline.

    ``curves``: by the deadline in seconds, the loads from few callers to many.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 3.5))
    for delay, curve in curves.items():
        late = [load.percentile(90) for load in curve]
        axes.plot([load.throughput for load in curve], late, "o-", label=f"{1000 * delay:g} ms")
    axes.set(xlabel="cards a second", ylabel="90 % of the calls below (ms)", yscale="log")
    axes.legend(title="deadline")
    figures.show(figure, alt="Latency against throughput for three deadlines and 1, 8 and 32 callers")


def padding(
    reader: OnnxReader, deck: Sequence[Image], ways: Mapping[str, Sequence[Group]], rounds: int
) -> Table:
    """Cards a second of each way to put ``deck`` into batches, in turns, and the extra pixels of the batches.

    The quickest of the ``rounds`` counts. Pixels are a share of the cards' own: 0 where nothing is padded.
    """

    def run(groups: Sequence[Group]) -> None:
        for pictures, widths in groups:
            reader.run(pictures, widths)

    took = in_turns({name: lambda g=groups: run(g) for name, groups in ways.items()}, rounds, warmup=1)
    own, rows = sum(image.size for image in deck), []
    for name, groups in ways.items():
        pixels = sum(pictures.size for pictures, _ in groups)
        rows.append([name, 1000 * len(deck) / took[name].min(), pixels / own - 1])
    return Table(["way", "cards/s", "padding"], *rows, formats=["", ",.0f", ".0%"])
