"""Images from a hub, on which ours are built and beside which they run: each pinned by its digest.

Where there is no hub, ``infra/docker/engine.sh`` makes stand-ins and labels them.
"""

import contextlib
import re
from functools import cache

from fsdl_deploy.packaging.build_context import DOCKER

REGISTRY = "registry:2.8.3@sha256:a3d8aaa63ed8681a604f1dea0aa03f100d5895b6a58ace528858a7b332415373"
STAND_INS = {
    "base": "python:3.11-slim",
    "database": "postgres:15",
    "queue": "redis:7",
    "registry": "registry:2",
}


@cache
def pinned() -> dict[str, str]:
    """Base, database, queue and registry: the hub's name of each with its digest.

    The first is in the Dockerfile of ``infra/docker``, the next two are in its compose file.
    """
    dockerfile = (DOCKER / "Dockerfile").read_text(encoding="utf-8")
    compose_file = (DOCKER / "compose.yaml").read_text(encoding="utf-8")
    base = re.search(r"^ARG BASE=(\S+)", dockerfile, re.MULTILINE)[1]
    database, queue = re.findall(r"_IMAGE:-(\S+@sha256:\w+)}", compose_file)
    return {"base": base, "database": database, "queue": queue, "registry": REGISTRY}


def usable(client, role: str) -> str:
    """The name under which the engine has the image for ``role``: its stand-in's where there is one."""
    import docker

    with contextlib.suppress(docker.errors.ImageNotFound):
        if "stand-in" in client.images.get(STAND_INS[role]).labels:
            return STAND_INS[role]
    return pinned()[role]
