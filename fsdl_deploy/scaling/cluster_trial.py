"""What happens on a cluster when a copy is lost, a version is new or broken, and more requests come

Each function does it to a running Deployment under load and answers with what a record keeps: plain
dictionaries, so that a notebook shows its own run and the recorded one in the same way.
"""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict

from fsdl_deploy.measuring import records
from fsdl_deploy.paths import ROOT
from fsdl_deploy.running.waiting import until
from fsdl_deploy.scaling.asking import Asking
from fsdl_deploy.scaling.cluster_images import BROKEN, GOOD, OTHER
from fsdl_deploy.scaling.deployment import Deployment
from fsdl_deploy.scaling.failures import Trial, card_body, under_load
from fsdl_deploy.scaling.kubernetes import Cluster, ClusterError

RECORD = ROOT / "infra" / "scaling" / "kubernetes" / "recorded.json"
RATE = 6  # requests a second beside what is tried
BUSY = 60  # requests a second that are too many for three copies


def recorded() -> dict:
    """The recorded run, with its date and machine."""
    return records.read(RECORD)


def lose_one(reader: Deployment) -> dict:
    """One of the copies is gone at once: how long until there are as many as before, and who noticed."""
    before = reader.ready()
    (pod, *_) = reader.pods()
    took: list[float] = []

    def event() -> None:
        began = time.monotonic()
        reader.lose(pod)
        _until(lambda: reader.ready() >= before and pod.name not in {each.name for each in reader.pods()})
        took.append(time.monotonic() - began)

    trial = _loaded(reader, RATE, event, keep_alive=False)
    return {"seconds": round(took[0], 1)} | _seen(trial)


def update(reader: Deployment, image: str, *, keep_alive: bool = True, rate: float = RATE) -> dict:
    """A rolling update under load, by callers who keep their connections, or open one for each request."""
    ends = []
    trial = _loaded(reader, rate, lambda: ends.append(reader.update(image)), keep_alive=keep_alive)
    (end,) = ends
    seen = {
        "image": image,
        "keep_alive": keep_alive,
        "complete": end.complete,
        "seconds": round(end.seconds, 1),
    }
    return seen | _seen(trial)


def break_and_undo(reader: Deployment, image: str = BROKEN, patience: float = 15) -> dict:
    """An image that does not start, under load; after ``patience`` seconds back to the one before."""
    seen: dict = {}

    def event() -> None:
        end = reader.update(image, patience)
        seen.update(complete=end.complete, message=end.message)
        seen["pods"] = [asdict(pod) for pod in reader.pods()]
        undone = reader.undo()
        seen["undo"] = {"complete": undone.complete, "seconds": round(undone.seconds, 1)}

    trial = _loaded(reader, RATE, event)
    return seen | _seen(trial) | {"history": reader.history()}


def autoscale(reader: Deployment, rate: float = BUSY, seconds: float = 50, after: float = 120) -> dict:
    """Load for so many ``seconds``, then none: what the autoscaler saw and did, moment by moment.

    A moment is ``[second, busy per cent, copies]``. ``after``: the longest wait for it to scale down again.
    It begins with the least copies: new ones are busy while they start, so an update brings some by itself.
    """
    began, moments = time.monotonic(), []

    def watch() -> bool:
        scale = reader.scale()
        moments.append([round(time.monotonic() - began, 1), scale.busy, scale.replicas])
        return scale.replicas <= scale.least

    def idle() -> bool:
        scale = reader.scale()
        return scale.busy is not None and scale.replicas <= scale.least

    _until(idle, 400, pause=2)

    def event() -> None:
        while time.monotonic() < began + seconds:
            watch()
            time.sleep(2)

    began = time.monotonic()
    trial = _loaded(reader, rate, event)
    ended = round(time.monotonic() - began, 1)
    with suppress(ClusterError):
        _until(watch, after, pause=2)
    return {"rate": rate, "load_until": ended, "moments": moments} | _seen(trial)


def run(cluster: Cluster, say: Callable[[str], None] = print) -> dict:
    """All of it, one after another, on a cluster that has the images: what the record keeps."""
    version = json.loads(cluster.run("version", "--output", "json"))["serverVersion"]["gitVersion"]
    nodes = cluster.get("nodes")["items"]
    with Deployment(cluster) as reader:
        say(f"three copies ready after {reader.start_seconds:.0f} s")
        content = {
            "context": cluster.context,
            "kubernetes": version,
            "nodes": len(nodes),
            "overlay": reader.overlay,
            "start_seconds": round(reader.start_seconds, 1),
            "pods": [asdict(pod) for pod in reader.pods()],
        }
        for name, step in {
            "lost": lambda: lose_one(reader),
            "kept": lambda: update(reader, OTHER, keep_alive=True),
            "new": lambda: update(reader, GOOD, keep_alive=False),
            "broken": lambda: break_and_undo(reader),
            "autoscaler": lambda: autoscale(reader),
        }.items():
            content[name] = step()
            say(f"{name}: {content[name]}")
    return content


def _loaded(reader: Deployment, rate: float, event: Callable[[], object], **settings) -> Trial:
    with reader.url() as url:
        return under_load(Asking(f"{url}/read", card_body(), **settings), rate, event, around=1, longest=300)


def _seen(trial: Trial) -> dict:
    load = trial.load
    return {
        "requests": load.requests,
        "lost": trial.lost,
        "reopened": trial.reopened,
        "p50_ms": round(load.p50, 1),
        "p99_ms": round(load.p99, 1),
        "problems": load.losses,
    }


def _until(condition: Callable[[], object], seconds: float = 120, pause: float = 0.3) -> None:
    until(condition, seconds, ClusterError, "the cluster", pause)
