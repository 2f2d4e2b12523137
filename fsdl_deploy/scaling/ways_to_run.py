"""Four ways to run three copies of the reader: processes behind nginx, compose, Docker Swarm, Kubernetes

In all of them a copy has the same model and the same share of a core from its start on, and counts as healthy
once ``/readyz`` answers. Each is a ``WayToRun`` of ``orchestrators``, which counts them. They need Linux; all
but the first an engine, the last the course's own cluster.
"""

import re
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from fsdl_deploy.packaging.compose import Compose
from fsdl_deploy.packaging.engine import ContainerError
from fsdl_deploy.running.course_servers import course_server
from fsdl_deploy.running.ports import HOST, free_port
from fsdl_deploy.running.servers import Server, ServerError
from fsdl_deploy.scaling import manifests
from fsdl_deploy.scaling.asking import Asking
from fsdl_deploy.scaling.cluster_images import BROKEN, GOOD, OTHER
from fsdl_deploy.scaling.deployment import Deployment
from fsdl_deploy.scaling.failures import card_body, roll
from fsdl_deploy.scaling.kubernetes import Cluster
from fsdl_deploy.scaling.load_balancing import nginx
from fsdl_deploy.scaling.orchestrators import COPIES, CORES, Beside, beside
from fsdl_deploy.scaling.replicas import Replica, replicas
from fsdl_deploy.scaling.swarm import FILE as SWARM_FILE
from fsdl_deploy.scaling.swarm import Swarm

COMPOSE_FILE = SWARM_FILE.with_name("compose.yaml")
VERSIONS = {GOOD: "v2", OTHER: "v1", BROKEN: "v9"}  # what the service of each image reads with
NOT_COUNTED = ("autoscaler.yaml", "disruption.yaml")  # of the manifests: the other ways have nothing like it
PATIENCE = 10  # seconds that a caller waits
_AUTOSCALERS = "horizontalpodautoscalers.v1.autoscaling"


class AskingOneOf(Asking):
    """Callers without a balancer: each new connection goes to the next of the ports that ``ports()`` names.

    It is called every half second at most, as a name is looked up again.
    """

    def __init__(self, ports: Callable[[], Sequence[int]], body: bytes, **settings):
        super().__init__(f"http://{HOST}:0/read", body, **settings)
        self._ports, self._known, self._asked = ports, [], float("-inf")
        self._turn, self._one_asks = 0, threading.Lock()

    def place(self) -> tuple[str, int]:
        """The next copy. ConnectionRefusedError where there is none."""
        with self._one_asks:
            if time.monotonic() > self._asked + 0.5:
                with suppress(Exception):  # if it cannot be looked up, the last answer holds
                    self._known = sorted(self._ports())
                self._asked = time.monotonic()
            if not self._known:
                raise ConnectionRefusedError("no copy is healthy")
            self._turn += 1
            return self.host, self._known[self._turn % len(self._known)]


class Processes:
    """Processes behind nginx; an update is our loop, which drains one after another."""

    name = "processes and nginx"

    def __enter__(self) -> "Processes":
        with ExitStack() as starting:
            self.fleet = starting.enter_context(replicas(COPIES, CORES, _served, from_start=True))
            ports = [replica.port for replica in self.fleet]
            self.balancer = starting.enter_context(nginx(ports))
            self._running = starting.pop_all()
        self._images = dict.fromkeys(ports, GOOD)
        return self

    def __exit__(self, *_) -> None:
        self._running.close()

    def lines(self) -> int:
        return manifests.lines(self.balancer.configuration)

    def beside(self) -> Beside:
        return beside([str(self.balancer.folder)])

    def asking(self) -> Asking:
        return Asking(f"{self.balancer.url}/read", card_body(), timeout=PATIENCE)

    def update(self, image: str) -> str:
        def change(replica: Replica) -> None:
            replica.server.command = _served(VERSIONS[image]).command
            self._images[replica.port] = image

        try:
            roll(self.balancer, self.fleet, change)
        except ServerError as error:
            return str(error).partition("\n")[0]
        return ""

    def healthy(self, image: str) -> int:
        return sum(each.running and self._images[each.port] == image for each in self.fleet)


class ComposeProject:
    """Containers of a compose file, of which callers know one port; an update replaces all at once."""

    name = "compose"

    def __init__(self, client, engine: str, without: Sequence[int] = ()):
        self.client, self.engine, self.without = client, engine, without

    def __enter__(self) -> "ComposeProject":
        values = {"READER_IMAGE": GOOD, "READER_PORTS": ports_in_a_row(COPIES)}
        self.project = Compose(self.client, COMPOSE_FILE, **values).start()
        self.url = self.project.url("reader")
        return self

    def __exit__(self, *_) -> None:
        self.project.stop()

    def lines(self) -> int:
        return manifests.lines(COMPOSE_FILE.read_text(encoding="utf-8"))

    def beside(self) -> Beside:
        return beside([self.engine], without=self.without)

    def asking(self) -> Asking:
        return Asking(f"{self.url}/read", card_body(), timeout=PATIENCE)

    def update(self, image: str) -> str:
        try:
            self.project.update(READER_IMAGE=image)
        except ContainerError as error:
            return _last_line(str(error))
        healthy = self.healthy(image)
        return "" if healthy == COPIES else f"{healthy} healthy copies"

    def healthy(self, image: str) -> int:
        containers = self.project.containers("reader")
        return sum(each.health == "healthy" and each.attrs["Config"]["Image"] == image for each in containers)


class SwarmStack:
    """Copies of a Swarm's service, one of which callers choose; an update replaces one after another."""

    name = "Docker Swarm"

    def __init__(self, client, engine: str, without: Sequence[int] = ()):
        self.client, self.engine, self.without = client, engine, without

    def __enter__(self) -> "SwarmStack":
        with ExitStack() as starting:
            self.swarm = starting.enter_context(Swarm(self.client, everywhere=True))
            self.swarm.deploy(GOOD)
            self._running = starting.pop_all()
        return self

    def __exit__(self, *_) -> None:
        self._running.close()

    def lines(self) -> int:
        return manifests.lines(SWARM_FILE.read_text(encoding="utf-8"))

    def beside(self) -> Beside:
        return beside([self.engine], without=self.without)

    def asking(self) -> Asking:
        return AskingOneOf(self.swarm.ports, card_body(), timeout=PATIENCE)

    def update(self, image: str) -> str:
        state = self.swarm.update(image)
        return "" if state == "completed" else state

    def healthy(self, image: str) -> int:
        return self.swarm.healthy(image)


class OnKubernetes:
    """Pods on the cluster in ``folder``, behind its Service; an update replaces one after another."""

    name = "Kubernetes"

    def __init__(self, cluster: Cluster, engine: str, folder: Path):
        self.cluster, self.engine, self.folder = cluster, engine, folder

    def __enter__(self) -> "OnKubernetes":
        with ExitStack() as starting:
            self.reader = starting.enter_context(Deployment(self.cluster))
            self.reader.run("delete", _AUTOSCALERS, "--all")  # it would start a fourth during an update
            self.url = starting.enter_context(self.reader.url())
            self._running = starting.pop_all()
        return self

    def __exit__(self, *_) -> None:
        self._running.close()

    def lines(self) -> int:
        texts = manifests.sources("laptop").items()
        return sum(manifests.lines(text) for name, text in texts if not name.endswith(NOT_COUNTED))

    def beside(self) -> Beside:
        return beside([self.engine], pids_of(self.folder))

    def asking(self) -> Asking:
        return Asking(f"{self.url}/read", card_body(), timeout=PATIENCE)

    def update(self, image: str) -> str:
        end = self.reader.update(image)
        return "" if end.complete else _last_line(end.message)

    def healthy(self, image: str) -> int:
        return sum(pod.state == "ready" and pod.image == image for pod in self.reader.pods())


def pids_of(folder: Path) -> list[int]:
    """The programs of the cluster in this folder."""
    return [int(file.read_text()) for file in folder.glob("*.pid")]


def ports_in_a_row(count: int) -> str:
    """So many free ports beside each other, as compose names them: ``20000-20002``."""
    for _ in range(100):
        first = free_port()
        with ExitStack() as probes, suppress(OSError):
            for port in range(first, first + count):
                probes.enter_context(socket.socket()).bind((HOST, port))
            return f"{first}-{first + count - 1}"
    raise ContainerError(f"no {count} free ports were found beside each other")


def _served(version: str = VERSIONS[GOOD]) -> Server:
    """The service as the images start it."""
    return course_server("serve", "--version", version, "--access-log", timeout=180)


def _last_line(text: str) -> str:
    """The last line that says something, without the names of one run."""
    lines = [line for line in text.splitlines() if line.strip()] or ["it did not say why"]
    return re.sub(r"\bfsdl-[0-9a-f]{8}-", "", lines[-1].strip())[:200]
