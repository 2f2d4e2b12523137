"""A container engine, where there is one.

``engine()`` gives the client of Docker's own SDK for the engine that answers on this machine, or None
after one sentence: what needs an engine is skipped then, and nothing fails. Knows nothing of what is built.
"""

import os
from collections.abc import Callable

from fsdl_deploy.machine import engine_sockets, ping_engine

NONE = "No container engine answers on this machine: the cells that need one are skipped."


def address(environ=os.environ) -> str | None:
    """The URL of the engine that answers, or None; ``DOCKER_HOST``, where it is set, is the only candidate."""
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
