"""Calls that take turns: whatever else the machine does in between disturbs all of them alike

Two measured one after the other may differ because the machine did. Knows nothing of what is called.
"""

import time
from collections.abc import Callable, Mapping

import numpy as np


def in_turns(calls: Mapping[str, Callable[[], object]], times: int, warmup: int = 3) -> dict[str, np.ndarray]:
    """Milliseconds of each call by its name, float64 ``[times]``, in the order in which they were made.

    Each round makes every call once. The first ``warmup`` rounds do not count. What a call raises ends all.
    """
    spent: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(-warmup, times):
        for name, call in calls.items():
            begin = time.perf_counter()
            call()
            if number >= 0:
                spent[name].append(1000 * (time.perf_counter() - begin))
    return {name: np.array(taken) for name, taken in spent.items()}
