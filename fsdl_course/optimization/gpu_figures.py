"""A GPU or cores, in figures: the rate that a GPU must reach, and the run that is on record"""

from collections.abc import Mapping

import numpy as np

from fsdl_deploy import figures
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.optimization import gpu

USED = np.array([0.01, 0.03, 0.1, 0.3, 1])  # shares of the hour in which there is work


def rates_needed(rates: Mapping[str, float], ratio: float) -> None:
    """Display the predictions a second with which a GPU costs as much as busy cores, by its utilisation.

    ``rates``: of one core, by the model; ``ratio``: how many hours of a core cost as much as one of the GPU.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 3.3))
    for name, rate in rates.items():
        axes.plot(USED, rate * ratio / USED, "o-", label=name)
    axes.set(xscale="log", yscale="log", xlabel="share of the hour in which the GPU has work")
    axes.set(ylabel="predictions a second", title="What a GPU must do to cost no more than cores")
    axes.legend()
    figures.show(
        figure, alt="The rate a GPU must reach against its utilisation: a tenth of the work, ten times"
    )


def on_record(recorded: dict | None, core_price: float, gpu_price: float) -> Table | None:
    """The table of a recorded run (``gpu.recorded``) with its date and machine printed above.

    Prices are dollars an hour. Without a run on a GPU that is said, and there is no table.
    """
    if not recorded or not recorded["gpu"]:
        print("No figure of a GPU is on record: none of the course's runs so far was on a machine with one.")
        return None
    print(recorded["date"], recorded["machine"], recorded["gpu"], recorded["versions"])
    return gpu.table(recorded["rows"], core_price, gpu_price)
