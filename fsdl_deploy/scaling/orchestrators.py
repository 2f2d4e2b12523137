"""What it takes to run three copies: plain processes, compose, Docker Swarm and Kubernetes, counted

*Kubernetes is overkill if you only want to deploy*, in figures: lines of configuration that somebody wrote,
programs that run beside the three copies, the memory of those while nobody asks anything, seconds from one
version to the next. Counting needs Linux; the last two also an engine and the course's own cluster.
"""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from fsdl_deploy.packaging.compose import Compose
from fsdl_deploy.paths import ROOT
from fsdl_deploy.scaling import manifests
from fsdl_deploy.scaling.cluster_images import GOOD, OTHER
from fsdl_deploy.scaling.deployment import Deployment
from fsdl_deploy.scaling.failures import roll
from fsdl_deploy.scaling.kubernetes import Cluster
from fsdl_deploy.scaling.load_balancing import nginx
from fsdl_deploy.scaling.replicas import Replica, replicas, service
from fsdl_deploy.scaling.swarm import FILE as SWARM_FILE
from fsdl_deploy.scaling.swarm import Swarm

COMPOSE_FILE = SWARM_FILE.with_name("compose.yaml")
RECORD = ROOT / "infra" / "scaling" / "orchestrators" / "recorded.json"
COPIES, CORES = 3, 0.3  # as many cores for each copy as the manifests allow a container
_OF_THE_READER = "fsdl_deploy.cli"


@dataclass(frozen=True)
class Orchestrated:
    """One way to run COPIES of the reader. ``mebibytes``: of the programs beside them, with what they share
    divided among those that share it (PSS). ``seconds``: from one version to the next, all copies."""

    name: str
    lines: int
    processes: int
    mebibytes: float
    seconds: float


@dataclass(frozen=True)
class Beside:
    """The programs that run beside the copies: how many, and their memory in MiB."""

    processes: int
    mebibytes: float


def beside(marks: Iterable[str], pids: Iterable[int] = ()) -> Beside:
    """All processes with one of ``marks`` in their command line, or of ``pids``, and their children.

    The copies themselves are left out.
    """
    marks, pids = tuple(marks), set(pids)
    known = {process.pid: process for process in psutil.process_iter(["ppid", "cmdline"])}

    def belongs(process: psutil.Process | None) -> bool:
        while process is not None:
            words = " ".join(process.info["cmdline"] or ())
            if process.pid in pids or any(mark in words for mark in marks):
                return True
            process = known.get(process.info["ppid"])
        return False

    memory = []
    for process in known.values():
        if belongs(process) and _OF_THE_READER not in " ".join(process.info["cmdline"] or ()):
            with suppress(psutil.Error):
                memory.append(process.memory_full_info().pss)
    return Beside(len(memory), sum(memory) / 2**20)


def settled(count: Callable[[], Beside], seconds: float = 8) -> Beside:
    """``count()`` after some idle seconds: what starts at once has ended by then."""
    time.sleep(seconds)
    return count()


def plain_processes() -> Orchestrated:
    """Three processes behind nginx; an update drains one after another."""
    with replicas(COPIES, CORES) as fleet, nginx([replica.port for replica in fleet]) as balancer:
        idle = settled(lambda: beside([str(balancer.folder)]))
        began = time.monotonic()
        roll(balancer, fleet, _other_version)
        seconds = time.monotonic() - began
        lines = manifests.lines(balancer.configuration)
    return Orchestrated("processes and nginx", lines, idle.processes, idle.mebibytes, seconds)


def compose(client, engine: str) -> Orchestrated:
    """Three containers of a compose file, each at its own port; an update replaces all at once."""
    with Compose(client, COMPOSE_FILE, READER_IMAGE=GOOD) as project:
        idle = settled(lambda: beside([engine]))
        began = time.monotonic()
        project.environ["READER_IMAGE"] = OTHER
        project.start()
        seconds = time.monotonic() - began
    lines = manifests.lines(COMPOSE_FILE.read_text(encoding="utf-8"))
    return Orchestrated("compose", lines, idle.processes, idle.mebibytes, seconds)


def docker_swarm(client, engine: str) -> Orchestrated:
    """Three copies of a Swarm's service; an update replaces one after another."""
    with Swarm(client, everywhere=True) as swarm:
        swarm.deploy(GOOD)
        idle = settled(lambda: beside([engine]))
        began = time.monotonic()
        state = swarm.update(OTHER)
        seconds = time.monotonic() - began
        if state != "completed":
            raise RuntimeError(f"the Swarm's update ended as {state}")
    lines = manifests.lines(SWARM_FILE.read_text(encoding="utf-8"))
    return Orchestrated("Docker Swarm", lines, idle.processes, idle.mebibytes, seconds)


def kubernetes(cluster: Cluster, engine: str, folder: Path) -> Orchestrated:
    """Three pods on the cluster in ``folder``; an update replaces one after another."""
    with Deployment(cluster) as reader:
        pids = [int(file.read_text()) for file in folder.glob("*.pid")]
        idle = settled(lambda: beside([engine], pids))
        end = reader.update(OTHER)
        if not end.complete:
            raise RuntimeError(f"Kubernetes' update ended as {end.message}")
    lines = sum(map(manifests.lines, manifests.sources("laptop").values()))
    return Orchestrated("Kubernetes", lines, idle.processes, idle.mebibytes, end.seconds)


def _other_version(replica: Replica) -> None:
    replica.server.command = service("v1").command
