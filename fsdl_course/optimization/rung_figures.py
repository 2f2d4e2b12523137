"""Figures and tables of the ladder: workers against threads, the rungs, a record beside this run, students

Knows how to draw and to lay out; what is measured comes from ``fsdl_deploy.optimization.ladder``.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from fsdl_deploy import figures
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.optimization.ladder import RungResult


def workers_and_threads(rates: Mapping[tuple[int, int], float], cores: int) -> None:
    """Display cards a second as a grid; ``rates``: by (workers, threads in each), light where it is fast.

    Raises KeyError where a combination of these workers and threads is missing.
    """
    import matplotlib.pyplot as plt

    workers, threads = (sorted(set(counts)) for counts in zip(*rates, strict=True))
    grid = np.array([[rates[count, each] for each in threads] for count in workers])
    figure, axes = plt.subplots(figsize=(5, 3.2))
    axes.imshow(grid, cmap="viridis", aspect="auto")
    for (row, column), rate in np.ndenumerate(grid):
        ink = "black" if rate > (grid.min() + grid.max()) / 2 else "white"
        axes.text(column, row, f"{rate:.0f}/s", ha="center", va="center", color=ink, weight="bold")
    axes.set(xlabel="threads in each worker", ylabel="workers", title=f"cards a second on {cores} cores")
    axes.set_xticks(range(len(threads)), threads)
    axes.set_yticks(range(len(workers)), workers)
    axes.grid(False)
    best = "{} workers, {} threads".format(*max(rates, key=rates.__getitem__))
    figures.show(figure, alt=f"Cards a second by workers and threads; the fastest is {best}")


def rates_of_rungs(results: Sequence[RungResult], cores: int) -> None:
    """Display the cards a second of each rung, with its factor on the first and its accuracy."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(9, 5.5))
    rates = [result.per_second for result in results]
    colors = [figures.PALETTE[6] if result.aside else figures.PALETTE[0] for result in results]
    left = min(rates) / 2  # where the logarithmic axis begins
    axes.barh([result.rung for result in results], [rate - left for rate in rates], color=colors, left=left)
    for place, result in enumerate(results):
        factor, share = result.per_second / rates[0], result.right / result.cards
        digits = ",.0f" if factor >= 1 else ".1f"  # a slower rung is not 0 times as fast
        axes.text(result.per_second * 1.1, place, f"{factor:{digits}} ×, {share:.1%} right", va="center")
    axes.set(xscale="log", xlabel=f"cards a second on {cores} cores (logarithmic)", ylabel="rung")
    axes.set_xlim(left, 40 * max(rates))
    axes.invert_yaxis()
    figures.show(figure, alt="Cards a second of each rung, with its factor on the first and its accuracy")


def steps(runs: Mapping[str, Iterable[RungResult]]) -> Table:
    """Each rung's factor on the rung before it, in every run; empty where a run has not that rung.

    Rungs that lead aside are compared with the last one that does not. ``runs``: by the head of their column.
    """
    factors: dict[str, list[float | None]] = {}
    for place, results in enumerate(runs.values()):
        before = None
        for result in results:
            row = factors.setdefault(result.rung, [None] * len(runs))
            row[place] = result.per_second / (before or result.per_second)
            before = before if result.aside else result.per_second
    header = ["factor on the rung before", *runs]
    return Table(header, *([rung, *row] for rung, row in factors.items()), formats=["", *[".2f"] * len(runs)])


def files_and_rates(results: Iterable[RungResult], names: Sequence[str]) -> Table:
    """The rungs of these names: the size of the file, cards a second, the share of the cards read right."""
    rows = [
        [result.rung, result.file, result.per_second, result.right / result.cards]
        for result in results
        if result.rung in names
    ]
    return Table(["rung", "KiB", "cards/s", "right"], *rows, formats=["", ",.0f", ",.0f", ".1%"])


def students(rows: Sequence[Mapping]) -> None:
    """Display the accuracy of students by their size, those taught beside those trained alone.

    ``rows``: of ``models/sizes.json``. The bars are the intervals of the record.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 3.4))
    for taught, label in ((False, "trained alone"), (True, "taught by the teacher")):
        some = [row for row in rows if row["taught"] is taught]
        million = [row["multiply_adds"] / 1e6 for row in some]
        share = np.array([row["right"] / row["cards"] for row in some])
        low, high = np.array([row["interval"] for row in some]).T
        axes.errorbar(million, share, [share - low, high - share], marker="o", capsize=4, label=label)
    axes.set(xscale="log", xlabel="multiply-adds of one card (million)", ylabel="cards read right")
    axes.legend()
    figures.show(
        figure, alt="Accuracy rises with size; teaching moves it little, and lowers that of the smallest"
    )
