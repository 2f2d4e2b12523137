"""Figures of scaling: what an autoscaled service can take beside what comes, and how long a request waits

Knows how to draw; nothing is measured or simulated here.
"""

from collections.abc import Sequence

from fsdl_deploy import figures
from fsdl_deploy.scaling.autoscaling import Moment


def autoscaled(
    moments: Sequence[Moment], per_replica: float, begin: float, close_up: tuple[float, float]
) -> None:
    """Display what comes and what can be read in each second of a simulation, and the wait in a close-up.

    ``per_replica``: cards a second that one replica reads. ``begin``: the hour of the day at which the
    simulation begins; ``close_up``: from which hour to which the wait is drawn.
    """
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4))
    hours = [begin + moment.second / 3600 for moment in moments]
    left.plot(hours, [moment.rate for moment in moments], label="cards come")
    left.plot(hours, [moment.ready * per_replica for moment in moments], label="cards can be read")
    left.set(xlabel="hour of the day", ylabel="cards a second", ylim=(0, None))
    left.legend()
    right.plot(hours, [moment.wait for moment in moments], color=figures.PALETTE[1])
    right.set(xlabel="hour of the day", ylabel="a card that comes now waits (s)", xlim=close_up)
    worst = max(moments, key=lambda moment: moment.wait)
    minutes = round(60 * (begin + worst.second / 3600))
    longest = f"the longest wait is {worst.wait:.0f} s, at {minutes // 60}:{minutes % 60:02}"
    figures.show(figure, alt=f"Cards that come and that can be read by the hour, and the wait: {longest}")
