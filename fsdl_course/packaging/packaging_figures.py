"""Figures of packaging: what each change does, what the model was given, and preprocessing written again.

Knows how to draw; nothing is measured here.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from fsdl_course.packaging.runs import Effect, Run
from fsdl_deploy import figures
from fsdl_deploy.picture import decode


def change_bars(by_change: Mapping[str, Effect]) -> None:
    """Display the exact match after each change; a colour for each kind, which is the word before a colon."""
    figure, axes = _bars(
        [100 * effect.right for effect in by_change.values()],
        [f"{effect.moved} changed" for effect in by_change.values()],
        list(by_change),
    )
    kinds = list(dict.fromkeys(name.partition(":")[0] for name in by_change))
    for bar, name in zip(axes.patches, by_change, strict=True):
        bar.set_color(figures.PALETTE[kinds.index(name.partition(":")[0]) - 1])
    axes.set(xlabel="exact match (%)", ylabel="what changed", xlim=(0, 115))
    figures.show(figure, alt="Exact match after a change of code, of weights and of dependencies")


def given_cards(where: str, folder: Path, run: Run, places: Sequence[int]) -> None:
    """Display the pictures of ``folder`` that the model was given in ``where``, each with its reading.

    ``places``: which of them, counted in the order of the run.
    """
    images = [decode((folder / f"{place:04}.png").read_bytes()) for place in places]
    captions = [f"{where}: {run['digits'][place] or 'nothing'}" for place in places]
    figures.cards(images, captions, alt=f"four cards as the model sees them in the environment {where}")


def preprocessing_bars(changed: Mapping[str, int], right: Mapping[str, float], cards: int) -> None:
    """Display how many readings each way to write the preprocessing changes, and the share that is right."""
    figure, axes = _bars(
        [100 * count / cards for count in changed.values()],
        [f"{count} changed, {right[name]:.1%} right" for name, count in changed.items()],
        list(changed),
        height=3.6,
    )
    axes.set(xlabel="readings changed (%)", ylabel="preprocessing outside the graph", xlim=(0, 130))
    figures.show(figure, alt="Readings changed by seven ways to write the preprocessing again")


def _bars(percents: Sequence[float], labels: Sequence[str], names: Sequence[str], height: float = 3.0):
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, height))
    axes.bar_label(axes.barh(names, percents), labels, padding=4)
    axes.set_xticks(range(0, 101, 20))
    axes.invert_yaxis()
    return figure, axes
