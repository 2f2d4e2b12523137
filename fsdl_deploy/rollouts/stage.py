"""A stage for rollouts: a stable version and a candidate, each a process, behind nginx or Envoy"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from fsdl_deploy.rollouts.callers import CustomerCalls
from fsdl_deploy.rollouts.canary import Canary, canary
from fsdl_deploy.rollouts.evidence import LogEvidence
from fsdl_deploy.rollouts.utility import Sent, Utility
from fsdl_deploy.running.own_folder import own_folder
from fsdl_deploy.running.servers import Server
from fsdl_deploy.scaling.replicas import Replica, service

MakeServer = Callable[[str, Path], Server]
"""(version, file for its answer log) -> a server that is not started yet"""


def logging_service(version: str, log: Path) -> Server:
    """The course's service, which logs what it reads."""
    return service(version, "--answer-log", str(log))


class RolloutStage:
    """``stable`` and ``candidate`` behind ``front``; their answer logs are in ``folder``."""

    def __init__(self, folder: Path, stable: Replica, candidate: Replica, front: Canary, customers: Utility):
        self.folder, self.stable, self.candidate, self.front = folder, stable, candidate, front
        self.customers = customers
        self.stable_log, self.candidate_log = folder / "stable.jsonl", folder / "candidate.jsonl"

    def evidence(self, labels: Path | None = None) -> LogEvidence:
        """What the logs say from now on."""
        logs = ([self.stable_log], [self.candidate_log])
        return LogEvidence(self.front.folder, *logs, self.customers.meter, labels)

    def calls(self, sent: list[Sent]) -> CustomerCalls:
        """Callers of this stage."""
        return CustomerCalls(self.front.url, sent)

    def processor_seconds(self) -> dict[str, float]:
        """The processor time that each part has taken until now."""
        parts = {"stable": self.stable.server, "candidate": self.candidate.server, "proxy": self.front.server}
        return {name: _seconds(server) for name, server in parts.items()}


@contextmanager
def staged(
    proxy: str = "nginx",
    candidate: str = "v3-bad",
    stable: str = "v2",
    customers: int = 200,
    make: MakeServer = logging_service,
    **policy,
) -> Iterator[RolloutStage]:
    """``with staged("envoy", "v3-bad") as stage:``; ``policy``: fields of CanaryPolicy, such as ``share``."""
    home = own_folder("rollout")
    try:
        folder = Path(home.name)
        versions = (stable, folder / "stable.jsonl"), (candidate, folder / "candidate.jsonl")
        replicas = [Replica(make(version, log)) for version, log in versions]
        with ExitStack() as running, ThreadPoolExecutor(2) as together:
            for replica in replicas:
                running.callback(replica.stop)
            list(together.map(Replica.start, replicas))
            ports = ([replica.port] for replica in replicas)
            front = running.enter_context(canary(proxy, *ports, **policy))
            yield RolloutStage(folder, *replicas, front, Utility(customers))
    finally:
        home.cleanup()


def _seconds(server: Server) -> float:
    times = [process.cpu_times() for process in server.processes()]
    return sum(each.user + each.system for each in times)
