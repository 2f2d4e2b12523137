"""Containers: the reader run so that it can do no harm, and ended with the notebook that started it.

Knows nothing of what runs in them.
"""

import atexit
import contextlib
import time
from collections.abc import Callable

import httpx2

from fsdl_deploy.packaging.engine import ContainerError

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
        self.is_ready = ready if callable(ready) else lambda url: httpx2.get(url + ready).is_success
        self.container = None

    def __enter__(self) -> "Container":
        return self.start()

    def __exit__(self, *_) -> None:
        self.stop()

    def start(self) -> "Container":
        """Start it and wait until it is ready. ContainerError has the end of its log if it ends or hangs."""
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
        return published_url(self.container)

    def _wait(self, until: float) -> None:
        while time.monotonic() < until:
            self.container.reload()
            if self.container.status not in ("created", "running"):
                break
            try:
                if self.container.status == "running" and self.is_ready(self.url):
                    return
            except (httpx2.HTTPError, ValueError):  # ValueError: no port yet
                pass
            time.sleep(0.05)
        log = self.container.logs(tail=20).decode(errors="replace")
        raise ContainerError(f"{self.image} is {self.container.status} and not ready: {log[-2000:]}")

    def stop(self) -> None:
        """End and remove it, with what it wrote."""
        import docker

        if self.container is not None:
            with contextlib.suppress(docker.errors.NotFound):
                self.container.remove(force=True, v=True)
            self.container = None
        atexit.unregister(self.stop)


def published_url(container) -> str:
    """http://127.0.0.1:PORT of the one port that the SDK's ``container`` publishes."""
    (published,) = [places[0] for places in container.ports.values() if places]
    return f"http://127.0.0.1:{published['HostPort']}"
