"""Kubernetes: the cluster that kubectl knows, asked only where nothing of anybody's can be harmed

A notebook that is run as a whole must not deploy to the company's cluster. So only a context that is known
to be one's own machine, by its name and by its server's address, is taken by itself; any other has to be
named. Knows kubectl and nothing of what is
deployed (``deployment``).
"""

import fnmatch
import ipaddress
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from fsdl_deploy.running import stations
from fsdl_deploy.running.servers import Server

STATION = "kubernetes"
OURS = "fsdl-course"
"""The context of the cluster that ``infra/scaling/kubernetes/cluster.sh`` starts."""
SAFE = ("kind-*", "minikube", "k3d-*", "docker-desktop", OURS)
NEWEST, OLD = "autoscaling/v2", "autoscaling/v2beta2"


class ClusterError(RuntimeError):
    """kubectl failed, or may not be asked; the message says why."""


def kubectl() -> Path | None:
    """The program kubectl: the station's, or else that of PATH."""
    station = stations.station(STATION)
    if station.built and (program := shutil.which("kubectl", path=station.python.parent)):
        return Path(program)
    program = shutil.which("kubectl")
    return Path(program) if program else None


def permitted(context: str, name: str = "") -> bool:
    """Whether this context may be used: it is one of SAFE, or was named."""
    return bool(context) and (context == name or any(fnmatch.fnmatchcase(context, safe) for safe in SAFE))


def near(server: str, context: str) -> bool:
    """Whether the address of a cluster's server is this machine's; minikube's may be of a private network."""
    host = urlsplit(server).hostname or ""
    try:
        address = ipaddress.ip_address(host)
        ours = address.is_loopback or address.is_unspecified
        return ours or (context == "minikube" and address.is_private)
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".docker.internal"))


@dataclass(frozen=True)
class Cluster:
    """A cluster: every call names its ``context``, so a switch of kubectl's current one changes nothing."""

    program: Path
    context: str

    def run(self, *words: str, text: str | None = None, timeout: float = 120) -> str:
        """What ``kubectl WORDS`` prints; ``text``: its input. ClusterError has its message if it fails."""
        command = [str(self.program), "--context", self.context, *words]
        try:
            process = subprocess.run(
                command,
                input=text if text is not None else "",
                capture_output=True,
                text=True,
                timeout=timeout,
            )
        except subprocess.TimeoutExpired:
            raise ClusterError(f"kubectl {words[0]} was not through after {timeout:.0f} s") from None
        if process.returncode:
            raise ClusterError(f"kubectl {words[0]}: {_reason(process.stderr or process.stdout)}")
        return process.stdout

    def get(self, *words: str, **settings) -> dict:
        """What ``kubectl get WORDS`` answers, as JSON."""
        return json.loads(self.run("get", *words, "--output", "json", **settings))

    def versions(self) -> set[str]:
        """The versions of the API that it knows, such as ``autoscaling/v2``."""
        return set(self.run("api-versions").split())

    @property
    def overlay(self) -> str:
        """Which overlay of the manifests fits it: ``laptop``, or ``old`` for one from before 2022."""
        return "laptop" if NEWEST in self.versions() else "old"

    def measures(self) -> bool:
        """Whether it has figures of processor time, without which nothing scales by itself."""
        return "metrics.k8s.io/v1beta1" in self.versions()

    @contextmanager
    def service(self, namespace: str, name: str, port: str = "http") -> Iterator[str]:
        """The URL at which a Service answers on this machine.

        On the course's own cluster that is the Service's address. Elsewhere no way leads from here to it but
        the API server, which passes requests on to a pod of its choice.
        """
        if self.context == OURS:
            spec = self.get("service", name, "--namespace", namespace)["spec"]
            yield f"http://{spec['clusterIP']}:{spec['ports'][0]['port']}"
            return
        command = [str(self.program), "--context", self.context, "proxy", "--port", "{port}"]
        with Server(command, "/version", name="kubectl proxy") as server:
            yield f"{server.url}/api/v1/namespaces/{namespace}/services/http:{name}:{port}/proxy"


def find_cluster(name: str = "", say: Callable[[str], None] = print) -> Cluster | None:
    """The cluster of kubectl's current context, or of the context ``name``; None, after a sentence, without.

    A current context that is none of SAFE, or whose server is far away, is not asked for anything.
    """
    program = kubectl()
    if program is None:
        say("kubectl is not on this machine: `make station NAME=kubernetes` brings it. " + RECORDED)
        return None
    context = name or _current(program)
    if not context:
        say("kubectl knows no cluster on this machine. " + RECORDED)
        return None
    if not permitted(context, name):
        say(
            f"kubectl is set to {context!r}, and nothing is deployed there unasked: name it to allow it. "
            + RECORDED
        )
        return None
    if not name and not near(server := _server(program, context), context):
        say(
            f"{context!r} is named like a cluster of one's own, but its server is {server or 'unknown'}: "
            f"name it to allow it. {RECORDED}"
        )
        return None
    cluster = Cluster(program, context)
    try:
        cluster.run("get", "--raw", "/readyz", "--request-timeout", "5s", timeout=20)
    except ClusterError as error:
        say(f"The cluster {context!r} does not answer ({error}). " + RECORDED)
        return None
    return cluster


RECORDED = "What follows is the recorded run."


def _current(program: Path) -> str:
    return _configured(program, "current-context")


def _server(program: Path, context: str) -> str:
    where = "--output=jsonpath={.clusters[0].cluster.server}"
    return _configured(program, "view", "--minify", "--context", context, where)


def _configured(program: Path, *words: str) -> str:
    """What ``kubectl config WORDS`` says, which asks no cluster; "" if it fails."""
    command = [str(program), "config", *words]
    process = subprocess.run(command, capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)
    return process.stdout.strip() if process.returncode == 0 else ""


def _reason(stderr: str) -> str:
    """The last line that kubectl wrote, without what its library for logging puts before it."""
    lines = [line for line in stderr.strip().splitlines() if line.strip()]
    return lines[-1][:500] if lines else "it failed without a word"
