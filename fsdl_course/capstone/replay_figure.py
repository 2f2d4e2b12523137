"""A replay as a picture: how long each card waited, when something went wrong, and how much memory there was.

Reads a history (``history``); judges nothing.
"""

from pathlib import Path

from fsdl_course.capstone import history
from fsdl_deploy import figures


def faults(events: list[dict]) -> list[tuple[float, float, str]]:
    """Begin, end and name of everything that was done to the service, in seconds since the load began."""
    open_, windows = {}, []
    for event in events:
        if event["what"] == "fault":
            open_[event["name"]] = event["t"]
        elif event["what"] == "fault over" and event["name"] in open_:
            windows.append((open_.pop(event["name"]), event["t"], event["name"]))
    return windows


def waits(events: list[dict]) -> dict[str, list[tuple[float, float]]]:
    """(seconds since the load began, ms from when it was due to its answer) of each kind of answer."""
    points = {"answered": [], "refused for good": [], "no answer": []}
    for event in events:
        if event["what"] == "answer":
            status = event["status"] or 0
            kind = "answered" if status == 200 else "refused for good" if 400 <= status < 500 else "no answer"
            points[kind].append((event["due"], max(0.1, 1000 * (event["t"] - event["due"]))))
    return points


def show(file: Path) -> None:
    """Draw the replay whose history is in ``file``, in a notebook."""
    figures.show(*drawn(file))


def drawn(file: Path):
    """The figure of the replay whose history is in ``file``, and what it says to those who do not see it."""
    import matplotlib.pyplot as plt

    figures.use()
    events = history.read(file)
    figure, (above, below) = plt.subplots(2, 1, figsize=(8, 5), sharex=True, height_ratios=[2, 1])
    windows, points = faults(events), waits(events)
    for place, (begin, end, name) in enumerate(windows):
        for axes in (above, below):
            axes.axvspan(begin, max(end, begin + 0.1), color="0.85", zorder=0)
        above.text(
            begin, [0.98, 0.91, 0.84][place % 3], f" {name}", va="top", transform=above.get_xaxis_transform()
        )
    for (label, kind), marker in zip(points.items(), "ovx", strict=True):
        if kind:
            above.scatter(*zip(*kind, strict=True), s=14, marker=marker, label=f"{label}: {len(kind)}")
    above.set(yscale="log", ylabel="wait for an answer (ms)")
    above.set_ylim(top=above.get_ylim()[1] * 8)  # room for the names of what went wrong
    if any(points.values()):
        figure.legend(loc="outside upper center", ncols=3)  # over no mark
        above.set_xlim(right=1 + max(at for kind in points.values() for at, _ in kind))
    samples = [(event["t"], event["memory"] / 2**20) for event in events if event["what"] == "sample"]
    below.plot(*zip(*samples, strict=True)) if samples else None
    below.set(xlabel="seconds of the replay", ylabel="memory (MiB)", ylim=(0, None))
    total = ", ".join(f"{len(kind)} {label}" for label, kind in points.items())
    named = ", ".join(f"{name} at {begin:.0f} s" for begin, _, name in windows) or "none"
    return figure, f"Waits over the replay: {total}. What was done to the service: {named}."
