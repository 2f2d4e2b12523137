"""What a million predictions cost on cores and on a GPU, and where both cost the same.

Arithmetic over the rates that ``gpu_sharing`` measures. The prices of an hour are assumptions: give your
provider's.
"""

from collections.abc import Iterable

from fsdl_deploy.optimization.gpu_sharing import DeviceResult

CORE_PRICE, GPU_PRICE = 0.05, 1.00
"""Dollars for an hour of a core, and of a GPU with the machine around it: assumptions, not offers."""


def per_million(per_second: float, price: float, used: float = 1.0) -> float:
    """Dollars for a million predictions: ``price`` of an hour, ``used`` the share of the hour with work."""
    return 1e6 / (per_second * used) / 3600 * price


def cost(
    row: DeviceResult, core_price: float = CORE_PRICE, gpu_price: float = GPU_PRICE, used: float = 1.0
) -> float:
    """Dollars for a million predictions of ``row``; each of its processes on the processor has a core."""
    return per_million(
        row.per_second, gpu_price if row.device == "cuda" else row.processes * core_price, used
    )


def break_even(rows: Iterable[DeviceResult], model: str) -> float | None:
    """How many hours of a core an hour of the GPU may cost, both busy with ``model`` in their best way.

    Above that the processor is cheaper. It does not depend on any price. None without a row of the GPU.
    """
    best = {"cpu": 0.0, "cuda": 0.0}
    for row in rows:
        if row.model == model:
            rate = row.per_second / (row.processes if row.device == "cpu" else 1)
            best[row.device] = max(best[row.device], rate)
    return best["cuda"] / best["cpu"] if best["cuda"] and best["cpu"] else None
