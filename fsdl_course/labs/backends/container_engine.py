"""A container of the reader's image, which has Python and numpy, and nothing of the labs."""

import contextlib
import hashlib
import secrets
import subprocess
from dataclasses import dataclass

from fsdl_course.labs.backends.backend import (
    ENVIRONMENT,
    MEMORY,
    NOBODY,
    PROCESSES,
    SCRATCH,
    SHARED,
    Backend,
    SandboxProcess,
    spawn,
)
from fsdl_course.labs.inside.program import program


def image_name() -> str:
    """The reader's image, under a name that changes with what it is built from, but for the course's code."""
    from fsdl_deploy.packaging.build_context import DOCKER

    recipe = b"".join((DOCKER / name).read_bytes() for name in ("Dockerfile", "requirements.lock"))
    return f"fsdl-grader:{hashlib.sha256(recipe).hexdigest()[:12]}"


@dataclass
class Engine(Backend):
    """The engine is asked by its program, ``docker`` or ``podman``."""

    name: str = "container engine"
    program: str = "docker"

    def start(self, slot: int) -> SandboxProcess:
        undo, name = contextlib.ExitStack(), f"fsdl-grade-{secrets.token_hex(6)}"
        words = [self.program, "run", "--rm", "--interactive", "--init", "--name", name, "--network", "none"]
        words += ["--read-only", "--tmpfs", f"/tmp:size={SCRATCH},mode=1777", "--workdir", "/tmp"]
        words += ["--shm-size", str(SHARED), "--memory", str(MEMORY), "--memory-swap", str(MEMORY)]
        words += ["--pids-limit", str(PROCESSES), "--cpus", "1", "--cap-drop", "ALL"]
        words += ["--security-opt", "no-new-privileges", "--user", f"{NOBODY + slot}:{NOBODY + slot}"]
        for key, value in {**ENVIRONMENT, "PATH": "/opt/reader/bin:/usr/bin:/bin", "PYTHONPATH": ""}.items():
            words += ["--env", f"{key}={value}"]
        words += ["--entrypoint", "python", image_name(), "-s", "-c", program()]

        def remove() -> None:
            subprocess.run([self.program, "rm", "--force", name], capture_output=True, timeout=60)

        undo.callback(remove)
        return spawn(words, undo)
