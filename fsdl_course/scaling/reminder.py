"""The reminder at noon: cards in each second of a month's last day, and how late an autoscaler comes

A reminder goes out, and for twenty minutes several times as many cards come. An assumption.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from fsdl_deploy.measuring.table import Table
from fsdl_deploy.scaling import autoscaling, traffic

BEGIN, END = 10, 14  # hours of the day
NOON, MINUTES = 12, 20  # the hour of the reminder, and for how long it has an effect


def cards_a_second(cards: int, times: float, least: float) -> np.ndarray:
    """Cards in each second from BEGIN to END o'clock of the month's last day, float64 ``[14400]``.

    ``cards``: of the whole month. After the reminder ``times`` as many come as usual at that hour, and
    ``least`` a second at least.
    """
    minutes = traffic.month_end(cards)[-traffic.DAY :][BEGIN * 60 : END * 60].copy()
    noon = slice((NOON - BEGIN) * 60, (NOON - BEGIN) * 60 + MINUTES)
    minutes[noon] = np.maximum(times * minutes[noon], 60 * least)
    return np.repeat(minutes / 60, 60)


def table(runs: Mapping[str, Sequence[autoscaling.Moment]], per_replica: float) -> Table:
    """How late each autoscaler was, and what it cost; ``per_replica``: cards a second of one replica."""
    rows = [
        [
            name,
            autoscaling.lag(moments, per_replica),
            max(moment.wait for moment in moments),
            sum(moment.replicas for moment in moments) / 3600,
        ]
        for name, moments in runs.items()
    ]
    header = ["", "seconds with too few replicas", "longest wait s", "replica hours paid"]
    return Table(header, *rows, formats=["", "", ".0f", ".1f"])
