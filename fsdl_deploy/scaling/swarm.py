"""Docker Swarm: the orchestrator that every Docker has, started on this machine and left again

Its copies are published at every address of the machine, since a Swarm knows no address of loopback's for
them. So it is for machines that nobody else reaches, such as CI's, and says so.
"""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from fsdl_deploy.packaging.containers import published_url
from fsdl_deploy.packaging.engine import ContainerError, engine_address
from fsdl_deploy.paths import ROOT
from fsdl_deploy.running.waiting import until

FILE = ROOT / "infra" / "scaling" / "orchestrators" / "swarm.yaml"
STACK, SERVICE = "fsdl", "fsdl_reader"
EVERYWHERE = (
    "Docker Swarm publishes its copies at every address of this machine: where others can reach it, do not. "
    "On a machine that nobody reaches, say everywhere=True."
)


class Swarm:
    """``with Swarm(client, everywhere=True) as swarm:`` a Swarm of this one machine with the stack of FILE.

    ``client``: the engine's, as of ``find_engine``. ContainerError where the engine is in a Swarm already:
    that is somebody's, and would be left at the end.
    """

    def __init__(self, client, *, everywhere: bool = False, file: Path = FILE):
        if not everywhere:
            raise ContainerError(EVERYWHERE)
        self.client, self.file = client, file
        self.mine = False

    def __enter__(self) -> "Swarm":
        state = self.client.info().get("Swarm", {}).get("LocalNodeState", "inactive")
        if state != "inactive":
            if any(service.name == SERVICE for service in self.client.services.list()):
                raise ContainerError(
                    "a Swarm of the course's is still there, of a run that was killed: "
                    "docker swarm leave --force"
                )
            raise ContainerError(
                f"this engine is in a Swarm already ({state}): nothing is deployed into that"
            )
        self.client.swarm.init(advertise_addr="127.0.0.1", listen_addr="127.0.0.1:0")
        self.mine = True
        return self

    def __exit__(self, *_) -> None:
        if self.mine:
            self.client.swarm.leave(force=True)
            self.mine = False
            _until(lambda: not self.containers(), 60)

    def deploy(self, image: str) -> float:
        """Send the stack with this image, and wait until its copies are healthy; the seconds that took."""
        began = time.monotonic()
        self._docker(
            "stack",
            "deploy",
            "--compose-file",
            str(self.file),
            "--resolve-image",
            "never",
            STACK,
            image=image,
        )
        _until(lambda: self.healthy(image) == self.replicas(), 300)
        return time.monotonic() - began

    def update(self, image: str, seconds: float = 400) -> str:
        """A rolling update: how it ended, such as ``completed`` or ``rollback_completed``.

        The command itself says "converged" in both cases, so the service is asked.
        """
        self._docker(
            "service", "update", "--quiet", "--detach", "--no-resolve-image", "--image", image, SERVICE
        )
        states = ("completed", "paused", "rollback_completed", "rollback_paused")
        _until(lambda: self._state() in states, seconds)
        return self._state()

    def replicas(self) -> int:
        """How many copies there should be."""
        return self.client.services.get(SERVICE).attrs["Spec"]["Mode"]["Replicated"]["Replicas"]

    def healthy(self, image: str) -> int:
        """How many healthy copies of this image there are."""
        return sum(
            each.health == "healthy" and each.attrs["Config"]["Image"] == image for each in self.containers()
        )

    def containers(self) -> list:
        """The copies, as the SDK's containers."""
        mark = {"label": f"com.docker.swarm.service.name={SERVICE}"}
        return self.client.containers.list(filters=mark, ignore_removed=True)

    def ports(self) -> list[int]:
        """The ports of this machine at which requests may be sent now: of copies that are healthy and stay.

        Those are the copies that a name in the Swarm's own network stands for.
        """
        staying = {"service": SERVICE, "desired-state": "running"}
        tasks = {task["ID"] for task in self.client.api.tasks(staying)}
        return [
            int(published_url(each).rpartition(":")[2])
            for each in self.containers()
            if each.health == "healthy" and each.labels["com.docker.swarm.task.id"] in tasks
        ]

    def _state(self) -> str:
        status = self.client.services.get(SERVICE).attrs.get("UpdateStatus") or {}
        return status.get("State", "")

    def _docker(self, *words: str, image: str = "") -> None:
        environ = os.environ | {"DOCKER_HOST": engine_address() or "", "READER_IMAGE": image}
        command = ["docker", *words]
        options = {"capture_output": True, "text": True, "stdin": subprocess.DEVNULL, "timeout": 120}
        process = subprocess.run(command, env=environ, **options)
        if process.returncode:
            raise ContainerError(f"docker {words[0]} {words[1]}: {process.stderr.strip()[-1000:]}")


def _until(condition: Callable[[], object], seconds: float) -> None:
    until(condition, seconds, ContainerError, "the Swarm")
