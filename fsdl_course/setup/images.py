"""What images are built from, fetched once where an engine answers: the hub's images, the reader's wheels.

Part of the set-up: ``python -m fsdl_course.setup.images``.
"""

import subprocess
import sys
from collections.abc import Callable

import httpx2

from fsdl_deploy.packaging.base_images import STAND_INS, usable
from fsdl_deploy.packaging.build_context import DOCKER
from fsdl_deploy.packaging.engine import engine_address, find_engine


def prepare(say: Callable[[str], None] = print):
    """The engine with all that lessons need of the network: the hub's images, the wheels of the reader's.

    Part of the set-up where an engine answers. What is there already is not asked for again. None, after a
    sentence, where there is no engine or something cannot be fetched.
    """
    import docker

    client = find_engine(say)
    if client is None:
        return None
    try:
        for name in [usable(client, role) for role in STAND_INS]:
            try:
                client.images.get(name)
            except docker.errors.ImageNotFound:
                say(f"Fetching the image {name} (once) …")
                client.images.pull(name)
        fetch_wheels(client.version()["Arch"], say)
    except (docker.errors.DockerException, httpx2.HTTPError, subprocess.SubprocessError) as error:
        say(f"What images are built from cannot be fetched, cells that need it are skipped: {error}")
        return None
    return client


def fetch_wheels(arch: str, say: Callable[[str], None] = print) -> None:
    """Download the wheels of the image for Linux on ``arch`` (amd64, arm64), each checked by its hash."""
    lock, wheels = DOCKER / "requirements.lock", DOCKER / "wheels"
    marker, content = wheels / "complete", f"{arch}\n{lock.read_text(encoding='utf-8')}"
    if marker.is_file() and marker.read_text(encoding="utf-8") == content:
        return
    say("Fetching the wheels of the reader's image (once) …")
    for old in wheels.glob("*.whl"):
        old.unlink()
    machine = {"arm64": "aarch64"}.get(arch, "x86_64")
    command = [sys.executable, "-m", "pip", "download", "-qq", "--no-deps", "--require-hashes"]
    command += ["--only-binary", ":all:", "--python-version", "3.11", "--implementation", "cp"]
    for glibc in (17, 27, 28):
        command += ["--platform", f"manylinux_2_{glibc}_{machine}"]
    command += ["--platform", f"manylinux2014_{machine}", "--dest", str(wheels), "--requirement", str(lock)]
    subprocess.run(command, check=True)
    marker.write_text(content, encoding="utf-8")


if __name__ == "__main__":  # of the set-up: where there is no engine, there is nothing to say
    sys.exit(1 if engine_address() and prepare() is None else 0)
