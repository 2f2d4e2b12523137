"""Where student code runs: cut off from files, network, environment and other processes, with bounded means.

``open_backend()`` chooses bubblewrap, or a container engine, and proves before use that nothing leaks: a
machine without isolation is refused (``SandboxError``). A ``Sandbox`` holds the code of one submission and
calls its functions; it starts again by itself when student code has brought it down. Knows nothing of labs,
points or expectations: those never come near it.
"""

import contextlib
import hashlib
import json
import os
import secrets
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fsdl_course.labs.inside import program
from fsdl_course.labs.runner import CELLS_SECONDS, MOST_SKIPPED, patience

MEBIBYTE = 1 << 20
MEMORY = 768 * MEBIBYTE  # all of a sandbox's processes and files together
PROCESSES = 48
SCRATCH = 64 * MEBIBYTE  # what student code may write, in memory
START_SECONDS = 60
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


@dataclass(frozen=True)
class Answer:
    """What a call gave: a JSON value, or in a few words why there is none."""

    value: Any = None
    error: str = ""


@dataclass
class Backend:
    """A way to start the runner: words of a command, and how the whole of it is ended."""

    name: str
    alone: bool = True

    def start(self, slot: int) -> "Process":
        raise NotImplementedError


@dataclass
class Process:
    """A running sandbox: its process here, and what else has to be undone when it ends."""

    popen: subprocess.Popen
    undo: contextlib.ExitStack

    def end(self) -> None:
        if self.popen.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.popen.pid, signal.SIGKILL)
        for pipe in (self.popen.stdin, self.popen.stdout):
            with contextlib.suppress(OSError):
                pipe.close()
        self.popen.wait()
        self.undo.close()


def _spawn(command: list[str], undo: contextlib.ExitStack, **options) -> Process:
    popen = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        **options,
    )
    return Process(popen, undo)


@dataclass
class Bubblewrap(Backend):
    """Namespaces by bubblewrap; memory and processes bounded by control groups, or by a watch on them."""

    name: str = "bubblewrap"

    def start(self, slot: int) -> Process:
        undo = contextlib.ExitStack()
        group = undo.enter_context(control_group()) if os.geteuid() == 0 else None
        if group is None:
            process = _spawn(self.command(slot), undo, env={"PATH": os.environ.get("PATH", "")})
            undo.enter_context(watched(process.popen.pid))
            return process
        # The group is entered between fork and exec, so that nothing of the sandbox is outside of it.
        return _spawn(
            ["/bin/sh", "-c", ENTER_GROUP, "sh", *group, "--", *self.command(slot)],
            undo,
            env={"PATH": "/usr/bin:/bin"},
        )

    def command(self, slot: int) -> list[str]:
        bwrap = shutil.which("bwrap")
        python = Path(sys.executable)
        home = Path(os.path.realpath(python)).parent.parent  # the Python that the environment was made from
        words = [bwrap, "--die-with-parent", "--new-session", "--hostname", "sandbox"]
        words += [f"--unshare-{what}" for what in ("ipc", "pid", "net", "uts", "cgroup-try")]
        words += ["--perms", "1777", "--size", str(SCRATCH), "--tmpfs", "/tmp", "--ro-bind", "/usr", "/usr"]
        for name in ("bin", "lib", "lib64", "sbin"):
            words += _same_place(f"/{name}")
        words += ["--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"]
        places = {folder: folder for folder in (str(home), sys.base_prefix, sys.prefix)}
        for folder, place in places.items():
            if not place.startswith("/usr/"):
                for parent in reversed(Path(place).parents[:-1]):  # else only root could pass through them
                    words += ["--perms", "0755", "--dir", str(parent)]
                words += ["--ro-bind", folder, place]
        words += ["--dev", "/dev", "--size", str(8 * MEBIBYTE), "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]
        words += ["--remount-ro", "/", "--chdir", "/tmp", "--clearenv"]
        for name, value in {**ENVIRONMENT, **_compiled()}.items():
            words += ["--setenv", name, value]
        if os.geteuid() == 0:
            # The mounts are made by root, who may read the course's folder; student code is another user.
            user = str(NOBODY + slot)
            words += ["--cap-drop", "ALL"]
            for capability in ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"):
                words += ["--cap-add", capability]
            words += ["--", "/usr/bin/setpriv", "--reuid", user, "--regid", user, "--clear-groups"]
            words += ["--no-new-privs", "--inh-caps=-all", "--bounding-set=-all"]
        else:
            words += ["--unshare-user", "--uid", str(NOBODY), "--gid", str(NOBODY), "--cap-drop", "ALL"]
        return [*words, "--", str(python), "-s", "-c", program()]


def _compiled() -> dict[str, str]:
    """Where this Python keeps what it has compiled, if not beside the source: numpy is there sooner by it."""
    return {"PYTHONPYCACHEPREFIX": sys.pycache_prefix} if sys.pycache_prefix else {}


def _same_place(path: str) -> list[str]:
    """Words that make ``path`` in the sandbox what it is here: a link into /usr, or a folder."""
    if os.path.islink(path):
        return ["--symlink", os.readlink(path), path]
    return ["--ro-bind", path, path] if os.path.isdir(path) else []


ENTER_GROUP = 'while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs" || exit 9; shift; done; shift; exec "$@"'


@contextlib.contextmanager
def control_group():
    """New control groups with a sandbox's bounds -> their folders; None where none can be made."""
    top, name = Path("/sys/fs/cgroup"), f"fsdl-grade-{os.getpid()}-{secrets.token_hex(4)}"
    if (top / "cgroup.controllers").exists():
        bounds = {
            top: {
                "memory.max": MEMORY,
                "memory.swap.max": 0,
                "pids.max": PROCESSES,
                "cpu.max": "100000 100000",
            }
        }
    else:
        bounds = {
            top / "memory": {"memory.limit_in_bytes": MEMORY},
            top / "pids": {"pids.max": PROCESSES},
            top / "cpu": {"cpu.cfs_quota_us": 100000},
        }
    made = []
    try:
        for parent, files in bounds.items():
            for left in parent.glob("fsdl-grade-*-*"):  # of a grader that was killed
                if not Path(f"/proc/{left.name.split('-')[2]}").exists():
                    _remove_groups([left], patience=0)
            folder = parent / name
            folder.mkdir()
            made.append(folder)
            for file, value in files.items():
                if file != "memory.swap.max" or (folder / file).exists():
                    (folder / file).write_text(str(value))
    except OSError:
        _remove_groups(made)
        yield None
        return
    try:
        yield [str(folder) for folder in made]
    finally:
        _remove_groups(made)


def _remove_groups(folders: list[Path], patience: float = 10.0) -> None:
    """Remove control groups; the kernel takes a moment to see that the last process has gone."""
    deadline = time.monotonic() + patience
    for folder in folders:
        while folder.exists():
            try:
                folder.rmdir()
            except OSError:
                if time.monotonic() > deadline:
                    return
                select.select([], [], [], 0.01)


@contextlib.contextmanager
def watched(pid: int):
    """End the sandbox that ``pid`` started when its processes together pass the bounds."""
    import psutil

    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.05):
            with contextlib.suppress(psutil.Error):
                top = psutil.Process(pid)
                inside = top.children(recursive=True)
                used = 0
                for process in inside:
                    with contextlib.suppress(psutil.Error):
                        used += process.memory_info().rss
                if used > MEMORY or len(inside) > PROCESSES + 4:
                    top.kill()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def image_name() -> str:
    """The reader's image, under a name that changes with what a sandbox needs of it: Python and numpy."""
    from fsdl_deploy.packaging.context import DOCKER

    lock = (DOCKER / "requirements.lock").read_bytes()
    return f"fsdl-grader:{hashlib.sha256(lock).hexdigest()[:12]}"


@dataclass
class Engine(Backend):
    """A container of the reader's image, which has Python and numpy, and nothing of the labs."""

    name: str = "container engine"
    program: str = "docker"

    def start(self, slot: int) -> Process:
        undo, name = contextlib.ExitStack(), f"fsdl-grade-{secrets.token_hex(6)}"
        words = [self.program, "run", "--rm", "--interactive", "--init", "--name", name, "--network", "none"]
        words += ["--read-only", "--tmpfs", f"/tmp:size={SCRATCH},mode=1777", "--workdir", "/tmp"]
        words += ["--shm-size", str(8 * MEBIBYTE), "--memory", str(MEMORY), "--memory-swap", str(MEMORY)]
        words += ["--pids-limit", str(PROCESSES), "--cpus", "1", "--cap-drop", "ALL"]
        words += ["--security-opt", "no-new-privileges", "--user", f"{NOBODY + slot}:{NOBODY + slot}"]
        for key, value in {**ENVIRONMENT, "PATH": "/opt/reader/bin:/usr/bin:/bin"}.items():
            words += ["--env", f"{key}={value}"]
        words += ["--entrypoint", "python", image_name(), "-s", "-c", program()]

        def remove() -> None:
            subprocess.run([self.program, "rm", "--force", name], capture_output=True, timeout=60)

        undo.callback(remove)
        return _spawn(words, undo)


@dataclass
class Unprotected(Backend):
    """No isolation: student code can do all that you can. Only for code that you trust."""

    name: str = "none (--i-trust-these)"
    alone: bool = False

    def start(self, slot: int) -> Process:
        undo = contextlib.ExitStack()
        folder = undo.enter_context(tempfile.TemporaryDirectory(prefix="fsdl-grade-"))
        environ = {**ENVIRONMENT, **_compiled(), "HOME": folder}
        return _spawn([sys.executable, "-s", "-c", program()], undo, env=environ, cwd=folder)


def open_backend(trusted: bool = False) -> Backend:
    """The first backend whose isolation holds on this machine; SandboxError if there is none."""
    if trusted:
        return Unprotected()
    reasons = []
    for backend in _candidates(reasons):
        leaks = leaking(backend)
        if not leaks:
            return backend
        reasons.append(f"{backend.name}: {leaks}")
    raise SandboxError(
        f"No isolation for student code on this machine ({'; '.join(reasons)}). Install bubblewrap (Linux: "
        "the package bubblewrap), or start a container engine; --i-trust-these runs code unprotected"
    )


def _candidates(reasons: list[str]):
    if shutil.which("bwrap") and sys.platform == "linux":
        yield Bubblewrap()
    else:
        reasons.append("bubblewrap is not installed")
    from fsdl_deploy.packaging import engine, layers

    program = shutil.which("docker") or shutil.which("podman")
    if program is None or engine.engine_address() is None:
        reasons.append("no container engine answers")
        return
    client = engine.find_engine(say=reasons.append)
    if client is None:
        return
    try:
        if not client.images.list(image_name()):
            layers.build(client, image_name())
        yield Engine(program=program)
    except (engine.ContainerError, OSError) as error:
        reasons.append(f"the image {image_name()} cannot be built: {str(error).splitlines()[0]}")
    finally:
        client.close()


PROBE = """
import os, socket
def reached(path, port, secret):
    found = []
    try: open(path).read(); found.append("a file of this machine")
    except OSError: pass
    try: socket.create_connection(("127.0.0.1", port), 2).close(); found.append("the network")
    except OSError: pass
    if secret in os.environ: found.append("the environment")
    if os.getuid() == 0: found.append("the administrator's rights")
    for place in ("/", "/usr", "/course", "/app", "/etc"):
        try: open(os.path.join(place, "fsdl-canary"), "w").close(); found.append("writing to " + place)
        except OSError: pass
    try:
        if len([name for name in os.listdir("/proc") if name.isdigit()]) > 20: found.append("other processes")
    except OSError: pass
    return found
"""


def leaking(backend: Backend) -> str:
    """What student code could reach in this backend, in words; "" if it is shut. Tried, not assumed."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as listening:
        canary = Path(folder) / "canary"
        canary.write_text("reached", encoding="utf-8")
        canary.chmod(0o644)
        Path(folder).chmod(0o755)
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        name = "FSDL_CANARY"
        os.environ[name] = "1"
        try:
            with Sandbox([PROBE], backend) as sandbox:
                answer = sandbox.call("reached", [str(canary), listening.getsockname()[1], name], 5)
        except SandboxError as error:
            return str(error)
        finally:
            os.environ.pop(name, None)
    if answer.error:
        return answer.error
    return f"student code would reach {', '.join(answer.value)}" if answer.value else ""


@dataclass
class Sandbox:
    """The code of one submission, ready to be called.

    ``cells`` are run anew for every call; ``skipped`` are those that ended their process or never ended,
    ``errors`` what else went wrong in a cell. SandboxError if the sandbox itself does not start.
    """

    cells: list[str]
    backend: Backend
    preload: tuple[str, ...] = ()
    slot: int = 0
    skipped: list[int] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    _process: Process | None = None

    def __enter__(self) -> "Sandbox":
        said = self._begin(self.cells, probe=True)
        while said is None and len(self.skipped) < MOST_SKIPPED:
            # A cell brought the sandbox itself down while the cells were tried: leave it out.
            if (killer := self._first_killer()) is None:
                break
            self.skipped.append(killer)
            said = self._begin(self.cells, probe=True)
        if said is None:
            raise SandboxError(f"the sandbox ({self.backend.name}) did not start")
        self.errors = {**said["errors"], **{str(n): "it ended the sandbox" for n in self.skipped}}
        self.skipped = said["skip"]
        return self

    def __exit__(self, *_) -> None:
        self._end()

    def _first_killer(self) -> int | None:
        """The first cell with which the sandbox does not survive, by halving; None if it never does."""
        good, bad = 0, len(self.cells)
        if self._begin([], probe=True) is None:
            return None
        while bad - good > 1:
            middle = (good + bad) // 2
            if self._begin(self.cells[:middle], probe=True) is None:
                bad = middle
            else:
                good = middle
        return bad - 1

    def _begin(self, cells: list[str], probe: bool) -> dict | None:
        """Start the runner with these cells -> what it says of them; None if that brought it down."""
        self._end()
        self._process = self.backend.start(self.slot)
        first = {
            "cells": cells,
            "preload": list(self.preload),
            "limits": {"each": EACH, "alone": self.backend.alone},
            "skip": self.skipped,
            "probe": probe,
        }
        said = self._ask(first, START_SECONDS + probe * patience(CELLS_SECONDS) * (MOST_SKIPPED + 2))
        if said is None:
            self._end()
        return said

    def call(self, function: str, arguments: list, seconds: float) -> Answer:
        """The value of ``function(*arguments)``, with ``seconds`` of processor time.

        SandboxError only if the sandbox does not start again after student code brought it down.
        """
        if self._process is None and self._begin(self.cells, probe=False) is None:
            raise SandboxError(f"the sandbox ({self.backend.name}) did not start again")
        request = {"function": function, "arguments": arguments, "seconds": seconds}
        answer = self._ask(request, patience(CELLS_SECONDS + seconds) + patience(seconds) + 10)
        if answer is None:
            self._end()
            return Answer(error="it ended the sandbox")
        if "error" in answer:
            return Answer(error=str(answer["error"]))
        try:
            return Answer(json.loads(answer["value"]))
        except (ValueError, RecursionError):
            return Answer(error="what it returned is no JSON value")

    def _end(self) -> None:
        if self._process is not None:
            self._process.end()
            self._process = None

    def _ask(self, request: dict, patience: float) -> dict | None:
        """Send one line and wait for one; None if the sandbox has ended, says nonsense or nothing at all."""
        popen = self._process.popen
        try:
            popen.stdin.write(json.dumps(request).encode() + b"\n")
            popen.stdin.flush()
            said, deadline = b"", time.monotonic() + patience
            while not said.endswith(b"\n"):
                left = deadline - time.monotonic()
                if left <= 0 or len(said) > 8 * MEBIBYTE:
                    return None
                if not select.select([popen.stdout], [], [], left)[0]:
                    return None
                piece = os.read(popen.stdout.fileno(), 1 << 16)
                if not piece:
                    return None
                said += piece
            return json.loads(said)
        except (OSError, ValueError):
            return None
