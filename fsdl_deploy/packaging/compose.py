"""Several containers that belong together, as a compose file says: started in order, ended together."""

import atexit
import os
import secrets
import subprocess
from collections.abc import Callable
from pathlib import Path

from fsdl_deploy.packaging.base_images import usable
from fsdl_deploy.packaging.containers import READY_SECONDS, published_url
from fsdl_deploy.packaging.engine import ContainerError, engine_address


class Compose:
    """The containers of a compose file: ``with Compose(client, file, NAME=value) as c``.

    ``values`` fill in the file's variables. Each has a project name of its own, so that two may run at
    once, and ends with the process, its volumes too.
    """

    def __init__(self, client, file: Path, **values: str):
        self.client, self.file, self.project = client, file, f"fsdl-{secrets.token_hex(4)}"
        password = secrets.token_hex(16)
        variables = {"DOCKER_HOST": engine_address() or "", "POSTGRES_PASSWORD": password}
        variables |= {"DATABASE_IMAGE": usable(client, "database"), "QUEUE_IMAGE": usable(client, "queue")}
        self.environ = os.environ | variables | values

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
        """Start all and wait until they are healthy. ContainerError has compose's message."""
        atexit.register(self.stop)
        try:
            self.update()
        except BaseException:
            self.stop()
            raise
        return self

    def update(self, **values: str) -> None:
        """Replace what differs with these values, and wait until all are healthy.

        ContainerError has compose's message; what runs then is left as it is.
        """
        self.environ |= values
        self._run("up", "--wait", "--no-build", "--wait-timeout", str(READY_SECONDS))

    def stop(self) -> None:
        """End and remove the containers, their networks and their volumes."""
        atexit.unregister(self.stop)
        self._run("down", "--volumes", "--timeout", "5")

    def containers(self, service: str | None = None) -> list:
        """The SDK's containers, of one service or of all."""
        labels = [f"com.docker.compose.project={self.project}"]
        labels += [f"com.docker.compose.service={service}"] if service else []
        containers = self.client.containers.list(all=True, filters={"label": labels}, ignore_removed=True)
        return sorted(containers, key=lambda container: container.name)

    def url(self, service: str) -> str:
        """http://127.0.0.1:PORT of the first container of ``service``."""
        return published_url(self.containers(service)[0])

    def _run(self, *words: str) -> str:
        command = ["docker", "compose", "--project-name", self.project, "--file", str(self.file), *words]
        process = subprocess.run(
            command, env=self.environ, text=True, stdin=subprocess.DEVNULL, capture_output=True
        )
        if process.returncode:
            raise ContainerError(f"docker compose {words[0]} failed: {process.stderr[-2000:]}")
        return process.stdout
