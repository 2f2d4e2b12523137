"""What the notebooks of the packaging tools (Cog, BentoML, Truss) share: the same questions to each of them.

What does a request cost, what is in its image? Texts are returned line by line. Knows nothing of how a tool
is asked.
"""

import time
from collections.abc import Callable, Sequence

import numpy as np

from fsdl_deploy import figures
from fsdl_deploy.measuring import records
from fsdl_deploy.packaging.build_context import DOCKER
from fsdl_deploy.running.servers import Server


def times_in_turns(ways: dict[str, Callable], cards: Sequence, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each call, by the name of the way; each round asks all of them for each card."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for card in cards:
            for name, way in ways.items():
                begin = time.perf_counter()
                way(card)
                times[name].append(1000 * (time.perf_counter() - begin))
    return times


def show_times(times: dict[str, list[float]]) -> None:
    """The distribution of each way's times as a figure, as far as three medians of the second way."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 3))
    for name, color in zip(times, figures.PALETTE, strict=False):
        ms = np.sort(times[name])
        axes.plot(ms, np.arange(1, len(ms) + 1) / len(ms), color=color, label=name)
    axes.set(xlabel="time to the answer, one card (ms)", ylabel="share of the calls")
    axes.set(xlim=(0, 3 * np.median(list(times.values())[1])))
    axes.legend()
    figures.show(figure, alt=f"Distribution of the time to an answer: {', '.join(times)}")


def costs(times: dict[str, list[float]], servers: Sequence[Server]) -> str:
    """The median time of each way as a multiple of the first two, and the memory that each server takes."""
    median = {name: np.median(ms) for name, ms in times.items()}
    lines = []
    for name, ms in median.items():
        compared = [f"{ms / median[other]:.1f} × {other}" for other in list(times)[:2] if other != name]
        lines.append(f"{name:18} {ms:5.1f} ms = {', '.join(compared)}")
    lines += [f"{server.name:18} {server.memory() / 2**20:5.0f} MiB of memory" for server in servers]
    return "\n".join(lines)


def base_image(client, tag: str) -> str:
    """How large the image ``tag`` is, or that the engine does not have it."""
    import docker

    try:
        return f"the base image: {client.images.get(tag).attrs['Size'] / 2**20:.0f} MiB"
    except docker.errors.ImageNotFound:
        return f"the engine has no {tag}"


def recorded_image(tool: str) -> str:
    """What ``infra/docker/tool_images.py`` recorded of the image of cog, bentoml or truss."""
    record = records.read(DOCKER / "tool_images.json")
    image = record["images"][tool]
    return "\n".join(
        [
            f"{record['date']}: {record['machine']}; engine {record['engine']}",
            f"{image['base MB']:7.1f} MB  base image: {image['base']}",
            *(f"{megabytes:7.1f} MB  {made_by}" for megabytes, made_by in image["layers"]),
            f"{image['MB']:7.1f} MB  in all, built in {image['build seconds']:.0f} s",
            f"run as {image['user']}: ready after {image['start seconds']:.1f} s, "
            f"{image['MiB']:.0f} MiB of memory",
            f"beside the safe options: {image['beside the safe options'] or 'nothing'}",
            f"the reader's digits: {image['equal']} of {record['cards']} cards",
            f"a threshold of 7: {image['threshold 7']}",
        ]
    )
