"""Figures of how good a reader is: which digits it confuses, and what is left when a person reads some cards

Knows how to draw; what is counted comes from ``accuracy``.
"""

from collections.abc import Sequence

import numpy as np

from fsdl_deploy import figures
from fsdl_deploy.measuring import accuracy

DIGITS = [*"0123456789"]


def confusion(truths: Sequence[str], readings: Sequence[str], title: str) -> None:
    """Show which digits were taken for which: rows written, columns read; the right ones are left out."""
    import matplotlib.pyplot as plt

    counts = accuracy.confusion(truths, readings)
    np.fill_diagonal(counts, 0)
    figure, axes = plt.subplots(figsize=(6, 5))
    axes.imshow(counts, cmap="Blues")
    axes.set(xlabel="digit read", ylabel="digit written", title=title)
    axes.set_xticks(range(11), [*DIGITS, "missed"], rotation=45)
    axes.set_yticks(range(11), [*DIGITS, "invented"])
    axes.grid(False)
    for (written, read), errors in np.ndenumerate(counts):
        if errors:
            color = "black" if errors <= counts.max() / 2 else "white"
            axes.text(read, written, errors, ha="center", va="center", color=color)
    figures.show(figure, alt=most_frequent(counts))


def most_frequent(counts: np.ndarray) -> str:
    """The most frequent error of a table of confusions, int ``[11, 11]``, in a sentence."""
    written, read = np.unravel_index(counts.argmax(), counts.shape)
    if not counts[written, read]:
        return "No digit was misread, missed or invented."
    what = f"a digit {read} that is not there" if written == 10 else f"{written} read as {read}"
    what = f"{written} missed" if read == 10 else what
    return f"The most frequent of {counts.sum()} errors is {what}: {counts[written, read]} times."


def left_to_errors(confidence: Sequence[float], right: Sequence[bool]) -> np.ndarray:
    """Share of wrong readings that is left, ``[N]``, when a person reads the least sure 0, 1 … of N."""
    order = np.argsort(confidence)
    wrong = ~np.asarray(right, bool)[order]
    return np.cumsum(wrong[::-1])[::-1] / len(wrong)


def errors_left(confidence: Sequence[float], right: Sequence[bool]) -> None:
    """Show what is left of the errors when the least sure cards go to a person, and when any others do."""
    import matplotlib.pyplot as plt

    left = left_to_errors(confidence, right)
    share = np.arange(len(left)) / len(left)
    figure, axes = plt.subplots()
    axes.plot(100 * share, 100 * left, label="least sure first")
    axes.plot(100 * share, 100 * left[0] * (1 - share), "--", label="drawn by lot")
    axes.set(xlabel="cards that a person reads (%)", ylabel="wrong readings left (% of all cards)")
    axes.set(xlim=(0, 50))
    axes.legend()
    tenth = left[len(left) // 10]
    alt = f"When a person reads the least sure tenth, wrong readings fall from {left[0]:.1%} to {tenth:.1%}."
    figures.show(figure, alt=alt)
