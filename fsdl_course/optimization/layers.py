"""The layers of a network under the roof of a core: each as a dot, and each kind's share of the time

What a core does at best, and what a layer takes, is measured in ``fsdl_deploy.optimization.roofline``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fsdl_deploy import figures
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.optimization import roofline
from fsdl_deploy.picture import Image
from fsdl_deploy.reader import batches

CALLS = 10  # of each batch


@dataclass(frozen=True)
class Profiled:
    """The layers of all calls of a network, and the ``seconds`` of these calls, timed without the profile."""

    layers: list[roofline.Layer]
    seconds: float


def profiled(graph: bytes, images: Sequence[Image], size: int) -> Profiled:
    """What ONNX Runtime says of each layer while a network reads pictures uint8 ``[H, W]`` in batches."""
    layers, seconds = [], 0.0
    for _, pictures, widths in batches(images, size):
        some, call = roofline.profile(graph, {"pictures": pictures, "widths": widths}, CALLS)
        layers, seconds = layers + some, seconds + call
    return Profiled(layers, seconds)


def under_the_roof(core: roofline.Core, networks: Mapping[str, Profiled]) -> None:
    """Display every layer with multiply-adds under the roof of one core, a panel for each network.

    A dot is as large as the layer's share of the time. The slopes are the bounds by bytes: from the cache
    (line) and from memory (dashes).
    """
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, len(networks), figsize=(10, 3.8), sharey=True, squeeze=False)
    x = np.logspace(-1.5, 2.3, 50)
    for axes, (name, network) in zip(panels[0], networks.items(), strict=True):
        for rate, style in ((max(core.bandwidth), "-"), (core.bandwidth[-1], "--")):
            axes.plot(x, np.minimum(core.peak, x * rate), style, color="black", linewidth=1)
        whole = sum(layer.seconds for layer in network.layers)
        for kind in roofline.KINDS[:-1]:
            dots = [layer for layer in network.layers if layer.kind == kind and layer.seconds]
            axes.scatter(
                [dot.multiply_adds / dot.moved for dot in dots],
                [dot.multiply_adds / dot.seconds for dot in dots],
                [10 + 5000 * dot.seconds / whole for dot in dots],
                alpha=0.6,
                label=kind,
            )
        axes.set(xscale="log", yscale="log", xlabel="multiply-adds for a byte", title=name)
    panels[0][0].set_ylabel("multiply-adds a second")
    panels[0][-1].legend(loc="lower right", markerscale=0.5)
    figures.show(figure, alt="Layers under the roof: convolutions near it, depthwise ones far below")


def table(core: roofline.Core, networks: Mapping[str, Profiled]) -> Table:
    """For each kind of layer its share of the time, and of that time the share that its roof needs.

    A network's last row is all its calls together, with the seconds that they take without the profile.
    """
    rows = []
    for name, network in networks.items():
        whole = sum(layer.seconds for layer in network.layers)
        for kind in roofline.KINDS:
            part = [layer for layer in network.layers if layer.kind == kind]
            took = sum(layer.seconds for layer in part)
            near = _least(core, part) / took if took else None
            rows.append([f"{name}, {len(network.layers)} layers called", kind, took / whole, near])
        calls = f"the calls, {network.seconds * 1000:.1f} ms"
        rows.append([name, calls, None, _least(core, network.layers) / network.seconds])
    return Table(["network", "layers", "of the time", "of its roof"], *rows, formats=["", "", ".0%", ".0%"])


def _least(core: roofline.Core, layers: Sequence[roofline.Layer]) -> float:
    return sum(core.least(layer.multiply_adds, layer.moved) for layer in layers)
