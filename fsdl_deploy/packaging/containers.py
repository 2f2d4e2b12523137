"""A container engine, where there is one: the reader's image, and containers that end with their notebook.

``engine()`` gives the client of Docker's own SDK for the engine that answers on this machine, or None
after one sentence: what needs an engine is skipped then, and nothing fails. Knows which files and images the
builds of ``infra/docker`` need, and nothing of what runs in them.
"""

import atexit
import contextlib
import os
import re
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from fsdl_deploy.measuring.machine import engine_sockets, ping_engine
from fsdl_deploy.paths import ROOT

NONE = "No container engine answers on this machine: the cells that need one are skipped."
FOLDER = ROOT / "infra" / "docker"
BASE = re.search(r"^ARG BASE=(\S+)", (FOLDER / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)[1]
DATABASE, QUEUE = re.findall(
    r"_IMAGE:-(\S+@sha256:\w+)}", (FOLDER / "compose.yaml").read_text(encoding="utf-8")
)
REGISTRY = "registry:2.8.3@sha256:a3d8aaa63ed8681a604f1dea0aa03f100d5895b6a58ace528858a7b332415373"
# The hub's images by their digests, and the stand-ins that engine.sh makes and labels where there is no hub.
STAND_INS = {BASE: "python:3.11-slim", DATABASE: "postgres:15", QUEUE: "redis:7", REGISTRY: "registry:2"}
READY_SECONDS = 120
# How the reader's container is run: it can change nothing but its scratch space, and take no more than this.
SAFELY = {
    "read_only": True,
    "tmpfs": {"/tmp": "size=16m"},
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges"],
    "mem_limit": "256m",
    "pids_limit": 64,
}


class ContainerError(RuntimeError):
    """An image cannot be built or a container does not get ready; the message ends with what it said."""


def address(environ=os.environ) -> str | None:
    """The URL of the engine that answers, or None; ``DOCKER_HOST``, where set, is the only candidate."""
    host = environ.get("DOCKER_HOST", "")
    if host and not host.startswith("unix://"):
        return host
    if os.name == "nt":
        return "npipe:////./pipe/docker_engine"
    return next((f"unix://{place}" for place in engine_sockets(environ) if ping_engine(place)), None)


def engine(say: Callable[[str], None] = print):
    """A ``docker.DockerClient`` of the engine that answers; None, after a sentence, where none does."""
    import docker

    if url := address():
        try:
            client = docker.DockerClient(base_url=url, timeout=600)
            client.ping()
            return client
        except docker.errors.DockerException:
            pass
    say(NONE)
    return None


def copy_context(to: Path) -> Path:
    """Copy what the Dockerfile of ``infra/docker`` needs to ``to``, so that a lesson may change it."""
    ignore = shutil.ignore_patterns("__pycache__")
    for name in ("fsdl_deploy", "infra/docker"):
        shutil.copytree(ROOT / name, to / name, ignore=ignore)
    (to / "models").mkdir()
    for name in ("SHA256SUMS", "v2.onnx"):
        shutil.copy(ROOT / "models" / name, to / "models")
    return to


def image(client, pinned: str) -> str:
    """The name under which to use one of STAND_INS: its own, or its stand-in's where there is one."""
    import docker

    with contextlib.suppress(docker.errors.ImageNotFound):
        if "stand-in" in client.images.get(STAND_INS[pinned]).labels:
            return STAND_INS[pinned]
    return pinned


@dataclass(frozen=True)
class Step:
    """One instruction of a Dockerfile as it was built: its text, seconds, and whether its layer was there."""

    instruction: str
    seconds: float
    cached: bool


def build(
    client, tag: str, context: Path = ROOT, dockerfile: str = "infra/docker/Dockerfile", nocache: bool = False
) -> list[Step]:
    """Build an image and name it ``tag``; return its steps. ContainerError has the end of a failed build.

    The Dockerfile's ``ARG BASE`` is the base that it pins, or the stand-in for that. ``nocache``: make every
    layer again.
    """
    steps, said, began = [], [], time.monotonic()
    options = {"dockerfile": dockerfile, "tag": tag, "buildargs": {"BASE": image(client, BASE)}}
    options["nocache"] = nocache
    log = client.api.build(path=str(context), rm=True, forcerm=True, decode=True, **options)
    instruction, cached = "", False

    def finish() -> None:
        if instruction:
            steps.append(Step(instruction, time.monotonic() - began, cached))

    for line in log:
        text = line.get("stream", "")
        said.append(line.get("error", text))
        if "error" in line:
            raise ContainerError(f"the image {tag} was not built: {''.join(said)[-2000:]}")
        if found := re.match(r"Step \d+/\d+ : (.*)", text):
            finish()
            instruction, cached, began = found[1].strip(), False, time.monotonic()
        cached = cached or "Using cache" in text
    finish()
    return steps


CHANGES = {
    "nothing": None,
    "code": "fsdl_deploy/service/app.py",
    "requirements": "infra/docker/requirements.lock",
}


def rebuilds(client, context: Path) -> dict[str, list[Step]]:
    """Build the reader's image in ``context``, then again after each of CHANGES: what changed -> the steps.

    The images are called ``meter-reader:after-NAME``; each contains the changes before it.
    """
    build(client, "meter-reader:before", context)
    found = {}
    for name, file in CHANGES.items():
        if file:
            with (context / file).open("a", encoding="utf-8") as changed:
                changed.write(f"# changed at {time.time()}\n")  # else the engine may know it from last time
        found[name] = build(client, f"meter-reader:after-{name}", context)
    client.images.remove("meter-reader:before")
    return found


class Container:
    """``with Container(client, "meter-reader") as c``: runs until it is healthy, is removed at the end.

    ``port``, or else the one that the image exposes, is a free port of this machine, in ``url``. ``options``
    are those of the SDK's ``containers.run``. ``ready``: the path that answers 200 when it is, or a function
    that says it of the URL. It also ends with the process.
    """

    def __init__(
        self,
        client,
        image: str,
        ready: str | Callable[[str], bool] = "/readyz",
        port: int | None = None,
        **options,
    ):
        self.client, self.image, self.port, self.options = client, image, port, options
        self.is_ready = ready if callable(ready) else lambda url: httpx.get(url + ready).is_success
        self.container = None

    def __enter__(self) -> "Container":
        return self.start()

    def __exit__(self, *_) -> None:
        self.stop()

    def start(self) -> "Container":
        """Start it and wait until it is ready. ContainerError holds its last words if it ends or hangs."""
        began = time.monotonic()
        exposed = self.client.images.get(self.image).attrs["Config"].get("ExposedPorts")
        exposed = [f"{self.port}/tcp"] if self.port else exposed
        ports = dict.fromkeys(exposed, ("127.0.0.1", None))
        self.container = self.client.containers.run(self.image, detach=True, ports=ports, **self.options)
        atexit.register(self.stop)
        try:
            self._wait(began + READY_SECONDS)
        except BaseException:
            self.stop()
            raise
        self.start_seconds = time.monotonic() - began
        return self

    @property
    def url(self) -> str:
        """http://127.0.0.1:PORT, as the engine chose the port."""
        return _url(self.container)

    def _wait(self, until: float) -> None:
        while time.monotonic() < until:
            self.container.reload()
            if self.container.status not in ("created", "running"):
                break
            try:
                if self.container.status == "running" and self.is_ready(self.url):
                    return
            except (httpx.HTTPError, ValueError):  # ValueError: no port yet
                pass
            time.sleep(0.05)
        words = self.container.logs(tail=20).decode(errors="replace")
        raise ContainerError(f"{self.image} is {self.container.status} and not ready: {words[-2000:]}")

    def stop(self) -> None:
        """End and remove it, with what it wrote."""
        import docker

        if self.container is not None:
            with contextlib.suppress(docker.errors.NotFound):
                self.container.remove(force=True, v=True)
            self.container = None
        atexit.unregister(self.stop)


class Compose:
    """The containers of a compose file: ``with Compose(client, file, NAME=value) as c``.

    ``values`` fill in the file's variables. Each has a project name of its own, so that two may run at
    once, and ends with the process, its volumes too.
    """

    def __init__(self, client, file: Path, **values: str):
        self.client, self.file, self.project = client, file, f"fsdl-{secrets.token_hex(4)}"
        password = secrets.token_hex(16)
        told = {"DOCKER_HOST": address() or "", "POSTGRES_PASSWORD": password}
        told |= {"DATABASE_IMAGE": image(client, DATABASE), "QUEUE_IMAGE": image(client, QUEUE)}
        self.environ = os.environ | told | values

    def __enter__(self) -> "Compose":
        return self.start()

    def __exit__(self, *_) -> None:
        self.stop()

    def possible(self, say: Callable[[str], None] = print) -> bool:
        """Whether the command ``docker compose`` is here; else a sentence."""
        try:
            self._run("version")
        except (OSError, ContainerError):
            say("The command `docker compose` is not on this machine: the cells that need it are skipped.")
            return False
        return True

    def start(self) -> "Compose":
        """Start all and wait until they are healthy. ContainerError holds what compose said."""
        atexit.register(self.stop)
        try:
            self._run("up", "--wait", "--no-build", "--wait-timeout", str(READY_SECONDS))
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End and remove the containers, their networks and their volumes."""
        atexit.unregister(self.stop)
        self._run("down", "--volumes", "--timeout", "5")

    def containers(self, service: str | None = None) -> list:
        """The SDK's containers, of one service or of all."""
        labels = [f"com.docker.compose.project={self.project}"]
        labels += [f"com.docker.compose.service={service}"] if service else []
        found = self.client.containers.list(all=True, filters={"label": labels})
        return sorted(found, key=lambda one: one.name)

    def url(self, service: str) -> str:
        """http://127.0.0.1:PORT of the first container of ``service``."""
        return _url(self.containers(service)[0])

    def _run(self, *words: str) -> str:
        command = ["docker", "compose", "--project-name", self.project, "--file", str(self.file), *words]
        done = subprocess.run(
            command, env=self.environ, text=True, stdin=subprocess.DEVNULL, capture_output=True
        )
        if done.returncode:
            raise ContainerError(f"docker compose {words[0]} failed: {done.stderr[-2000:]}")
        return done.stdout


def _url(container) -> str:
    (published,) = [places[0] for places in container.ports.values() if places]
    return f"http://127.0.0.1:{published['HostPort']}"
