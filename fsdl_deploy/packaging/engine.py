"""The container engine of this machine, where one answers.

Without one, what needs it is skipped after one sentence, and nothing fails. Knows nothing of what is built
or run there.
"""

import os
from collections.abc import Callable

from fsdl_deploy.measuring.machine import engine_sockets, ping_engine

NO_ENGINE = "No container engine answers on this machine: the cells that need one are skipped."


class ContainerError(RuntimeError):
    """An image cannot be built or a container does not get ready; the message ends with its last output."""


def engine_address(environ=os.environ) -> str | None:
    """The URL of the engine that answers, or None; ``DOCKER_HOST``, where set, is the only candidate."""
    host = environ.get("DOCKER_HOST", "")
    if host and not host.startswith("unix://"):
        return host
    if os.name == "nt":
        return "npipe:////./pipe/docker_engine"
    return next((f"unix://{place}" for place in engine_sockets(environ) if ping_engine(place)), None)


def find_engine(say: Callable[[str], None] = print):
    """A ``docker.DockerClient`` of the engine that answers; None, after a sentence, where none does."""
    import docker

    if url := engine_address():
        try:
            client = docker.DockerClient(base_url=url, timeout=600)
            client.ping()
            return client
        except docker.errors.DockerException:
            pass
    say(NO_ENGINE)
    return None
