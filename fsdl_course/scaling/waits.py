"""How long requests wait: Erlang's formula against replicas, and how many replicas a promise takes"""

from collections.abc import Mapping, Sequence

from fsdl_deploy import figures
from fsdl_deploy.measuring.load import Load
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.scaling import queueing

COUNTS = range(1, 11)


def by_erlang(per_replica: float, loads: Sequence[float], promise: float) -> None:
    """Display the seconds that 99 % wait at most, against replicas: a line for each load, and the promise.

    ``per_replica``: cards a second that one replica reads. ``loads``: as many times that come in a second.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 3.4))
    for load in loads:
        rate = load * per_replica
        times = [queueing.wait_time(rate, per_replica, count) for count in COUNTS]
        axes.plot(COUNTS, times, "o-", label=f"{rate:.0f} cards a second: {load} times one replica's")
    axes.axhline(promise, linestyle="--", color="black", label="the promise")
    axes.set(yscale="log", ylim=(1e-3, 200), xlabel="replicas", xticks=COUNTS)
    axes.set_ylabel("99 % wait less than (s)")
    axes.legend()
    figures.show(figure, alt="The longest wait of 99 %, against replicas: steep for each load")


def beside_erlang(trials: Mapping[int, tuple[float, Load]], per_replica: float) -> Table:
    """The p99 that was measured beside the one that Erlang's formula says.

    ``trials``: by the number of replicas, the cards that came in a second, and what the load meter saw.
    """
    rows = [
        [count, rate, load.p99, 1000 * queueing.answer_time(rate, per_replica, count)]
        for count, (rate, load) in trials.items()
    ]
    header = ["replicas", "cards a second", "p99 ms, measured", "p99 ms, Erlang"]
    return Table(header, *rows, formats=["", ".0f", ".0f", ".0f"])


def promises(
    rates: Mapping[str, float], needed: Mapping[str, Sequence[int]], waits: Sequence[float]
) -> Table:
    """How many replicas each promise takes at each rate; ``waits``: the promised seconds, in order."""
    rows = [[name, rate, *needed[name]] for name, rate in rates.items()]
    header = ["", "cards a second", *(f"99 % wait less than {wait} s" for wait in waits)]
    return Table(header, *rows, formats=["", ".0f"])
