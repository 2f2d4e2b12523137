"""Parity: do two forms of one model give the same answers?

A translated model is checked on other inputs than its example: other lengths, other contents. ``compare``
calls both forms with the same arrays and says how far apart they are. Knows nothing of what a model is.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

Call = Callable[..., Sequence[np.ndarray]]
"""A model as a function: arrays in, its outputs as arrays."""


@dataclass(frozen=True)
class Difference:
    """How far the two forms are apart on one case.

    ``shape``: of the first input. ``largest``: the largest absolute difference over all outputs; infinite
    where they cannot be compared, and then ``problem`` says why.
    """

    shape: tuple[int, ...]
    largest: float
    problem: str = ""


def compare(reference: Call, candidate: Call, cases: Iterable[Sequence[np.ndarray]]) -> list[Difference]:
    """One Difference a case, in order. The candidate's errors are findings, the reference's are raised."""
    differences = []
    for inputs in cases:
        expected = reference(*inputs)
        try:
            differences.append(_apart(inputs[0].shape, expected, candidate(*inputs)))
        except Exception as error:  # whatever a runtime raises: it did not answer
            problem = " ".join(f"{type(error).__name__}: {error}".split())
            differences.append(Difference(inputs[0].shape, np.inf, problem))
    return differences


def _apart(shape: tuple[int, ...], expected: Sequence[np.ndarray], given: Sequence[np.ndarray]) -> Difference:
    if len(expected) != len(given):
        return Difference(shape, np.inf, f"{len(given)} outputs, not {len(expected)}")
    largest = 0.0
    for place, (right, other) in enumerate(zip(expected, given, strict=True)):
        if right.shape != other.shape:
            return Difference(
                shape, np.inf, f"output {place} is {list(other.shape)}, not {list(right.shape)}"
            )
        here, there = right.astype(np.float64), other.astype(np.float64)
        same = (here == there) | (np.isnan(here) & np.isnan(there))  # equal infinities too
        with np.errstate(invalid="ignore"):
            apart = np.where(same, 0.0, np.abs(here - there))
        if np.isnan(apart).any():
            return Difference(shape, np.inf, f"output {place} is not a number where the other is one")
        largest = max(largest, float(apart.max(initial=0.0)))
    return Difference(shape, largest)
