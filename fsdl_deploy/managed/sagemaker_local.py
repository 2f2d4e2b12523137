"""SageMaker on this machine: moto as its control plane, the course's router and service as its data plane

``with local_cloud() as cloud:`` starts both; ``cloud.control``, ``cloud.runtime`` and ``cloud.scaling`` are
AWS's own clients. What an endpoint wants is started within a moment, and all ends with the ``with``. moto is
in a station.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import httpx2

from fsdl_deploy.managed.aws_emulator import emulator
from fsdl_deploy.managed.sagemaker_clients import client
from fsdl_deploy.running import waiting
from fsdl_deploy.running.servers import Server


class EndpointError(RuntimeError):
    """An endpoint does not become what it should be; the message says how it is."""


@dataclass(frozen=True)
class LocalCloud:
    """Both planes. ``plane``: moto; ``router``: who answers invocations."""

    plane: Server
    router: Server

    def client(self, service: str):
        """AWS's client of a service that moto plays."""
        return client(service, self.plane.url)

    @cached_property
    def control(self):
        return self.client("sagemaker")

    @cached_property
    def scaling(self):
        return self.client("application-autoscaling")

    @cached_property
    def runtime(self):
        """AWS's client for invocations, sent to the router."""
        return client("sagemaker-runtime", self.router.url)

    def state(self, endpoint: str) -> dict:
        """What the router knows of an endpoint."""
        answer = httpx2.get(f"{self.router.url}/endpoints/{endpoint}", trust_env=False, timeout=10)
        return answer.json()

    def wait(self, endpoint: str, weights: dict[str, float] | None = None, seconds: float = 60) -> dict:
        """Wait until all instances of an endpoint run, and its ``weights`` are these; how it is then.

        Raises EndpointError where that does not happen. moto itself says at once that all is well, so the
        router looks anew first: what ran under the same names before does not count.
        """
        httpx2.post(f"{self.router.url}/look", trust_env=False, timeout=60).raise_for_status()

        def well() -> bool:
            now = self.state(endpoint)
            return now["status"] == "InService" and weights in (None, now["weights"])

        def problem(sentence: str) -> EndpointError:
            return EndpointError(f"{sentence}: {self.state(endpoint)}")

        waiting.until(well, seconds, problem, f"endpoint {endpoint} in service", pause=0.02)
        return self.state(endpoint)


@contextmanager
def local_cloud(capture: Path | None = None, idle: float = 300) -> Iterator[LocalCloud]:
    """Both planes, for as long as the ``with`` lasts. Raises NotBuilt where moto's station is not built.

    ``capture``: a folder for what is answered. ``idle``: seconds until a serverless process ends.
    """
    with emulator() as plane:
        module = "fsdl_deploy.managed.sagemaker_router"
        command = [
            sys.executable,
            "-m",
            module,
            "--plane",
            plane.url,
            "--port",
            "{port}",
            "--idle",
            str(idle),
        ]
        if capture is not None:
            command += ["--capture", capture]
        with Server(command, "/ping", name="the router", timeout=120, grace=15) as router:
            yield LocalCloud(plane, router)
