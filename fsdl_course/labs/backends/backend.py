"""What every backend of the sandbox shares: the bounds, and a process that can be ended as a whole."""

import contextlib
import os
import signal
import subprocess
import sys
from dataclasses import dataclass

MEBIBYTE = 1 << 20
MEMORY = 768 * MEBIBYTE  # all of a sandbox's processes and files together
PROCESSES = 48
SCRATCH = 64 * MEBIBYTE  # what student code may write, in memory
SHARED = 8 * MEBIBYTE  # of which in /dev/shm
EACH = {  # bounds of each process, set by the runner before any student code runs
    "RLIMIT_AS": 2048 * MEBIBYTE,
    "RLIMIT_FSIZE": 16 * MEBIBYTE,
    "RLIMIT_NOFILE": 128,
    "RLIMIT_CORE": 0,
}
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "HOME": "/tmp",
    "LANG": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "OPENBLAS_NUM_THREADS": "1",
    "FSDL_GRADING": "1",
}
NOBODY = 61184  # uids above it belong to no one; each sandbox that root starts gets one of its own


class SandboxError(RuntimeError):
    """There is no isolation here, or it does not hold; the message says what to do."""


@dataclass
class SandboxProcess:
    """A running sandbox: its process here, and what else has to be undone when it ends."""

    popen: subprocess.Popen
    undo: contextlib.ExitStack

    def end(self) -> None:
        if self.popen.poll() is None:
            if hasattr(os, "killpg"):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.popen.pid, signal.SIGKILL)
            else:
                self.popen.kill()
        for pipe in (self.popen.stdin, self.popen.stdout):
            with contextlib.suppress(OSError):
                pipe.close()
        self.popen.wait()
        self.undo.close()


@dataclass
class Backend:
    """A way to start the sandbox's program. ``alone``: nothing else has its process space and files."""

    name: str
    alone: bool = True

    def each(self) -> dict[str, int]:
        """Bounds of each process, by their names in Python's ``resource``."""
        return EACH

    def start(self, slot: int) -> SandboxProcess:
        """Start it; sandboxes that run at the same time have different slots (0, 1, 2, …)."""
        raise NotImplementedError


def spawn(command: list[str], undo: contextlib.ExitStack, **options) -> SandboxProcess:
    """Start a command that is spoken to through stdin and stdout, in a process group of its own."""
    popen = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        **options,
    )
    return SandboxProcess(popen, undo)


def bytecode() -> dict[str, str]:
    """Where this Python keeps what it has compiled, if not beside the source: numpy is there sooner by it."""
    return {"PYTHONPYCACHEPREFIX": sys.pycache_prefix} if sys.pycache_prefix else {}
