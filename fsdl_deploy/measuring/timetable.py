"""A timetable of calls: evenly spaced, or by chance as independent users come; fixed beforehand"""

import math

import numpy as np


def timetable(rate: float, seconds: float, arrivals: str = "constant", seed: int = 0) -> np.ndarray:
    """When calls are due: seconds from the begin, float64 ``[n]``, rising, below ``seconds``; n ≥ 1."""
    if not 0 < rate < math.inf or not 0 < seconds < math.inf:
        raise ValueError(f"rate and seconds must be above 0 and finite, not {rate} and {seconds}")
    expected = max(1, round(rate * seconds))
    if arrivals == "constant":
        return np.arange(expected) / rate
    if arrivals == "poisson":
        # Given their number, the arrivals of a Poisson process are uniform (and the number is random).
        generator = np.random.default_rng(seed)
        return np.sort(generator.uniform(0, seconds, max(1, generator.poisson(rate * seconds))))
    raise ValueError(f"arrivals={arrivals!r} is unknown: take 'constant' or 'poisson'")
