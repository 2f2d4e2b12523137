"""A Deployment: the reader on a cluster, in a namespace of its own that is removed at the end

``with Deployment(cluster) as reader:``. What Kubernetes does from then on, it does by itself: it keeps as
many copies as it was told, replaces those that end, and those of an old version one after another. Knows
nothing of who sends requests.
"""

import atexit
import secrets
import time
import warnings
from dataclasses import dataclass

from fsdl_deploy.scaling.kubernetes import Cluster, ClusterError
from fsdl_deploy.scaling.manifests import overlay_folder

NAME, CONTAINER = "meter-reader", "reader"
LABEL = "fsdl-course=true"  # of the namespaces: what a killed notebook has left is found by it
START = 300  # seconds that three copies may take
UPDATE = 300


@dataclass(frozen=True)
class Pod:
    """A copy. ``state``: "ready", or in one word why it is not; ``restarts``: how often it began again."""

    name: str
    image: str
    state: str
    restarts: int


@dataclass(frozen=True)
class Rollout:
    """How an update ended: ``complete`` after so many ``seconds``, or ``message`` says where it stands."""

    complete: bool
    seconds: float
    message: str


@dataclass(frozen=True)
class Scale:
    """What the autoscaler sees and wants. ``busy``: per cent of the requested processor time, or None;
    ``least``: how many copies it leaves in any case."""

    busy: int | None
    replicas: int
    wish: int
    least: int


class Deployment:
    """The manifests of an overlay, applied. Raises ClusterError if the copies do not get ready."""

    def __init__(self, cluster: Cluster, overlay: str = ""):
        self.cluster, self.overlay = cluster, overlay
        self.namespace = f"fsdl-{secrets.token_hex(4)}"
        self.start_seconds = 0.0

    def __enter__(self) -> "Deployment":
        return self.start()

    def __exit__(self, *_) -> None:
        self.stop()

    def start(self) -> "Deployment":
        """Apply the manifests and wait until the copies are ready."""
        self.overlay = self.overlay or self.cluster.overlay
        began = time.monotonic()
        if self.cluster.get("namespaces", "--selector", LABEL)["items"]:
            warnings.warn(
                f"a deployment of an earlier run is still there: kubectl delete namespace -l {LABEL}",
                stacklevel=2,
            )
        atexit.register(self.stop)
        try:
            self.cluster.run("create", "namespace", self.namespace)
            self.cluster.run("label", "namespace", self.namespace, LABEL)
            self.run("apply", "--kustomize", str(overlay_folder(self.overlay)))
            ready = self.wait(START)
            if not ready.complete:
                states = ", ".join(f"{pod.name}: {pod.state}" for pod in self.pods())
                raise ClusterError(f"not ready after {ready.seconds:.0f} s: {ready.message} ({states})")
        except BaseException:
            self.stop()
            raise
        self.start_seconds = time.monotonic() - began
        return self

    def stop(self) -> None:
        """Remove the namespace with all that is in it, and wait until it is gone."""
        try:
            self.cluster.run("delete", "namespace", self.namespace, "--ignore-not-found", "--wait=false")
            atexit.unregister(self.stop)
            gone = ("wait", "--for=delete", f"namespace/{self.namespace}", "--timeout=180s")
            self.cluster.run(*gone, timeout=200)
        except ClusterError as error:
            warnings.warn(f"the namespace {self.namespace} may still be there: {error}", stacklevel=2)

    def run(self, *words: str, **settings) -> str:
        """``kubectl WORDS`` in this namespace."""
        return self.cluster.run(*words, "--namespace", self.namespace, **settings)

    def url(self):
        """A context with the URL at which the Service answers."""
        return self.cluster.service(self.namespace, NAME)

    def pods(self) -> list[Pod]:
        """The copies that are there, those that end left out."""
        items = self.cluster.get("pods", "--namespace", self.namespace)["items"]
        return [_pod(item) for item in items if "deletionTimestamp" not in item["metadata"]]

    def update(self, image: str, seconds: float = UPDATE) -> Rollout:
        """Another image: the copies are replaced one after another."""
        self.run("set", "image", f"deployment/{NAME}", f"{CONTAINER}={image}")
        return self.wait(seconds)

    def undo(self, seconds: float = UPDATE) -> Rollout:
        """Back to what was before the last update."""
        self.run("rollout", "undo", f"deployment/{NAME}")
        return self.wait(seconds)

    def wait(self, seconds: float) -> Rollout:
        """Wait until all copies are what they should be, at most so long."""
        began = time.monotonic()
        words = ["rollout", "status", f"deployment/{NAME}", f"--timeout={1000 * seconds:.0f}ms"]
        try:
            message, complete = self.run(*words, timeout=seconds + 30), True
        except ClusterError as error:
            message, complete = str(error), False
        return Rollout(complete, time.monotonic() - began, message.strip().rpartition("\n")[2])

    def history(self) -> list[int]:
        """The revisions that `undo` can go back to."""
        lines = self.run("rollout", "history", f"deployment/{NAME}").splitlines()
        return [int(line.split()[0]) for line in lines if line[:1].isdigit()]

    def lose(self, pod: Pod) -> None:
        """End a copy at once, as if its machine were gone."""
        self.run("delete", "pod", pod.name, "--grace-period=0", "--force")

    def ready(self) -> int:
        """How many copies are ready."""
        status = self.cluster.get("deployment", NAME, "--namespace", self.namespace)["status"]
        return status.get("readyReplicas", 0)

    def scale(self) -> Scale:
        """What the autoscaler has in front of it."""
        kind = "horizontalpodautoscalers.v1.autoscaling"
        scaler = self.cluster.get(kind, NAME, "--namespace", self.namespace)
        status, least = scaler["status"], scaler["spec"].get("minReplicas", 1)
        busy = status.get("currentCPUUtilizationPercentage")
        return Scale(busy, status.get("currentReplicas", 0), status.get("desiredReplicas", 0), least)


def _pod(item: dict) -> Pod:
    status = item["status"]
    containers = status.get("containerStatuses", [])
    if any(each.get("ready") for each in containers):
        state = "ready"
    else:
        reasons = [
            detail["reason"]
            for each in containers
            for detail in each.get("state", {}).values()
            if "reason" in detail
        ]
        phase = status.get("phase", "Unknown")
        state = reasons[0] if reasons else "not ready" if phase == "Running" else phase
    image = item["spec"]["containers"][0]["image"]
    return Pod(item["metadata"]["name"], image, state, sum(each["restartCount"] for each in containers))
