"""Tables of replicas behind a balancer: how much they give, who is asked, what a failure or an update costs

Knows how to lay out; what happens to the replicas is in ``fsdl_deploy.scaling.failures``.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from fsdl_deploy.measuring.table import Table
from fsdl_deploy.scaling.failures import Trial
from fsdl_deploy.scaling.locust_load import Report
from fsdl_deploy.scaling.replicas import Replica, service


def by_count(trials: Mapping[int, Trial], ports: Sequence[int]) -> Table:
    """What so many replicas give together; of N replicas those with the first N ``ports`` were asked."""
    rows = [
        [count, trial.load.throughput, trial.load.p50, trial.load.p99, trial.least_share(ports[:count])]
        for count, trial in trials.items()
    ]
    header = ["replicas", "cards a second", "p50 ms", "p99 ms", "share of the one asked least"]
    return Table(header, *rows, formats=["", ".0f", ".0f", ".0f", ".0%"])


def by_locust(reports: Mapping[int, Report]) -> Table:
    """The same by Locust's reports."""
    rows = [
        [count, report.rate, report.p50, report.p99, report.failures] for count, report in reports.items()
    ]
    header = ["replicas", "cards a second, by Locust", "p50 ms", "p99 ms", "failed"]
    return Table(header, *rows, formats=["", ".0f", ".0f", ".0f"])


def by_choice(trials: Mapping[str, Trial], slow: int) -> Table:
    """Ways to choose the next replica, by name: what all give, and the share of that on port ``slow``."""
    rows = [
        [
            choose,
            trial.load.throughput,
            trial.load.p99,
            trial.answers[slow] / max(1, trial.answers.total()),
        ]
        for choose, trial in trials.items()
    ]
    header = ["the next one is chosen by", "cards a second", "p99 ms", "share of the slow replica"]
    return Table(header, *rows, formats=["", ".0f", ".0f", ".0%"])


def crashes(trials: Iterable[tuple[str, Trial]]) -> Table:
    """What a crash cost, by what the balancer repeats; a row a trial, those of one setting together."""
    trials = list(trials)
    order = list(dict.fromkeys(retry for retry, _ in trials))
    rows = [
        [retry, trial.load.requests, trial.lost, trial.repeated, trial.load.p99]
        for retry, trial in sorted(trials, key=lambda pair: order.index(pair[0]))
    ]
    header = ["repeated", "requests", "lost", "answered at the second try", "p99 ms"]
    return Table(header, *rows, formats=["", "", "", "", ".0f"])


def hangs(trials: Mapping[tuple[str, float], Trial]) -> Table:
    """What a replica that hangs cost, by (kind of checks, time-out in seconds).

    A request that waited for longer than the time-out was first sent to the replica that hung.
    """
    rows = []
    for (health, timeout), trial in trials.items():
        slow = int((trial.load.latencies > 1000 * timeout).sum())
        rows.append([health, timeout, trial.load.requests, trial.lost, slow, trial.load.p99])
    header = ["checks", "time-out s", "requests", "lost", "waited for the time-out", "p99 ms"]
    return Table(header, *rows, formats=["", "", "", "", "", ".0f"])


def to_version(version: str) -> Callable[[Replica], None]:
    """What a rolling update does to a replica that is stopped: its next start is of this version."""

    def change(replica: Replica) -> None:
        replica.server.command = service(version).command

    return change


def updates(trials: Mapping[tuple[bool, bool], Trial]) -> Table:
    """What an update cost, by (whether replicas were drained, whether clients keep their connection)."""
    rows = [
        [
            "drained" if drain else "stopped and started",
            _connections(kept),
            trial.load.requests,
            trial.lost,
            trial.reopened,
        ]
        for (drain, kept), trial in trials.items()
    ]
    return Table(["each replica is", "connections", "requests", "lost", "connected again"], *rows)


def recorded_updates(recorded: Mapping) -> Table:
    """The same of the recorded run on a cluster (``cluster_trial.recorded``), with its date and machine."""
    rows = [
        [_connections(seen["keep_alive"]), *(seen[name] for name in ("requests", "lost", "reopened"))]
        for seen in (recorded["kept"], recorded["new"])
    ]
    note = f"{recorded['date']}, Kubernetes {recorded['kubernetes']}, {recorded['machine']}"
    return Table(["connections", "requests", "lost", "connected again"], *rows, notes=[note])


def resized(trials: Mapping[str, Trial], third: int) -> Table:
    """What it cost to take away the replica on port ``third``, and to bring it back; how many it answered."""
    rows = [[name, trial.load.requests, trial.lost, trial.answers[third]] for name, trial in trials.items()]
    return Table(["replicas", "requests", "lost", "answered by the third"], *rows)


def _connections(kept: bool) -> str:
    return "kept" if kept else "new"
