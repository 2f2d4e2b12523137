"""A student's service in the sandbox: bubblewrap, few system calls, a core, bounded memory and disk.

It shares the network of the process that starts it, which has to be an empty one (``arena``).
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from fsdl_course.capstone.meter import ServiceMeter
from fsdl_course.labs.backends import bubblewrap
from fsdl_course.labs.backends.backend import NOBODY, bytecode
from fsdl_course.labs.backends.control_groups import ENTER_GROUP, control_group, watched
from fsdl_course.labs.inside import system_calls
from fsdl_deploy.paths import ROOT

READ_LOG = 16 << 20
STATE_BYTES, STATE_FILES = 64 << 20, 1000
PROCESSES = 96
LAUNCH = """
import os, resource, sys
for what, bound in (("FSIZE", {disk}), ("NOFILE", 512), ("CORE", 0)):
    resource.setrlimit(getattr(resource, "RLIMIT_" + what), (bound, bound))
{bound_processes}
os.sched_setaffinity(0, {core})
if not narrow():
    sys.exit("the kernel takes no list of system calls")
os.execvp(sys.argv[1], sys.argv[1:])
"""


@dataclass
class HandInPlace:
    """The folders of one trial on this machine: the copy of the hand-in, the models, the state."""

    service: Path
    models: Path
    state: Path
    port: int
    memory_mb: int
    core: int = 0  # the one that the service has


@dataclass
class Running:
    """A service that runs: the sandbox's process, what it takes, and what it printed."""

    popen: subprocess.Popen
    undo: contextlib.ExitStack
    meter: ServiceMeter
    log: bytearray = field(default_factory=bytearray)
    read: threading.Thread | None = None  # of what it prints

    def ended(self) -> int | None:
        """The status of the start command if it has ended, which ends all of its processes."""
        return self.popen.poll()

    def last_words(self) -> str:
        """The end of what it printed."""
        return bytes(self.log[-600:]).decode("utf-8", "replace")

    def terminate(self) -> None:
        """SIGTERM to the process that the start command became."""
        for process in self.meter.processes()[:1]:
            with contextlib.suppress(psutil.Error):
                process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """kill -9 of everything; nothing of it is left."""
        left = self.meter.processes()
        if self.popen.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()
        psutil.wait_procs(left, timeout=5)  # the kernel ends them with the sandbox's first process
        self.undo.close()


def start(words: tuple[str, ...], place: HandInPlace) -> Running:
    """Start the service; call it from the main thread, for it ends when that thread does."""
    undo = contextlib.ExitStack()
    environment = {"PATH": "/usr/bin:/bin"}
    group = None
    if os.geteuid() == 0:  # the group counts STATE, too, which lies in memory: it is not rented
        group = undo.enter_context(control_group((place.memory_mb << 20) + STATE_BYTES, PROCESSES))
    command = [*_sandbox(place), *_launcher(words, place.core, group is not None)]
    if group is not None:
        command = ["/bin/sh", "-c", ENTER_GROUP, "sh", *group, "--", *command]
    popen = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        env=environment,
    )
    meter = ServiceMeter(popen.pid, tuple(map(Path, group or ())))
    if group is None:
        meter.passed = undo.enter_context(watched(popen.pid, place.memory_mb << 20, PROCESSES))
    running = Running(popen, undo, meter)
    running.read = threading.Thread(target=_drain, args=(popen.stdout, running.log), daemon=True)
    running.read.start()
    return running


def _drain(pipe, log: bytearray) -> None:
    while len(log) < READ_LOG and (piece := pipe.read1(1 << 16)):
        log += piece
    # Whoever prints more blocks on printing: the pipe is closed when the trial's process ends.


def _launcher(words: tuple[str, ...], core: int, counted: bool) -> list[str]:
    filter_text = Path(system_calls.__file__).read_text(encoding="utf-8")
    bound = f"resource.setrlimit(resource.RLIMIT_NPROC, ({PROCESSES}, {PROCESSES}))"
    text = filter_text + LAUNCH.format(
        disk=STATE_BYTES, core={core}, bound_processes="" if counted else bound
    )
    return [sys.executable, "-I", "-S", "-c", text, *words]


def _sandbox(place: HandInPlace) -> list[str]:
    # For another user, too: Debian's java is a link below /etc, and node reads OpenSSL's settings there.
    etc = ["--perms", "0755", "--dir", "/etc", "--perms", "0755", "--dir", "/etc/ssl"]
    words = bubblewrap.walls("service", ("ipc", "pid", "uts", "cgroup-try"), 64 << 20, 8 << 20, etc)
    seen = ("/etc/alternatives", "/etc/ssl/openssl.cnf", *map(str, Path("/etc").glob("java-*")))
    for folder in (*seen, str(ROOT / "fsdl_deploy")):
        words += ["--ro-bind-try", folder, folder]
    words += ["--proc", "/proc"]
    words += ["--ro-bind", str(place.service), "/service", "--ro-bind", str(place.models), "/models"]
    words += ["--bind", str(place.state), "/state"]
    words += [*bubblewrap.closing("/service", environment(place)), *bubblewrap.another_user(0)]
    return [*words, "--"] if os.geteuid() else words


def environment(place: HandInPlace) -> dict[str, str]:
    """What the service finds in its environment: nothing of the grader's."""
    modules = Path(sys.prefix) / "stations" / "node" / "node_modules"
    python = str(Path(sys.prefix) / "bin")
    return {
        "PATH": f"{python}:/usr/bin:/bin",
        "HOME": "/tmp",
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(ROOT),
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "FSDL_MODELS": "/models",
        "PORT": str(place.port),
        "MODELS": "/models",
        "STATE": "/state",
        **({"NODE_PATH": str(modules)} if modules.is_dir() else {}),
        **bytecode(),
    }


def owner() -> int | None:
    """Whose the state's folder has to be: None where it is the grader's own user."""
    return NOBODY if os.geteuid() == 0 else None


def full(state: Path) -> bool:
    """Whether the state's folder, a disk of its own (``arena``), has room for no byte or no file more."""
    room = os.statvfs(state)
    return room.f_bavail == 0 or room.f_favail == 0
