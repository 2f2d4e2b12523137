"""What this machine has: cores, memory, a container engine, installed programs.

Standard library only, quick, and every question answers on a broken machine too. Judges nothing.
"""

import contextlib
import ctypes
import http.client
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from fsdl_deploy.measuring import control_groups


def usable_cores() -> float:
    """Cores this process may use: of the machine, of its affinity, of its control group."""
    cores = float(os.cpu_count() or 1)
    if hasattr(os, "sched_getaffinity"):
        cores = min(cores, len(os.sched_getaffinity(0)))
    return min(cores, control_groups.cores())


def whole_cores() -> int:
    """``usable_cores`` as a number of workers: rounded, at least 1."""
    return max(1, round(usable_cores()))


def usable_memory() -> int:
    """Bytes of memory of the machine, or of its control group."""
    if sys.platform == "win32":

        class Status(ctypes.Structure):
            _fields_ = [("length", ctypes.c_ulong), ("load", ctypes.c_ulong)] + [
                (name, ctypes.c_ulonglong) for name in ("total", "free", "p", "pf", "v", "vf", "e")
            ]

        status = Status(length=ctypes.sizeof(Status))
        ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
        return status.total
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return int(min(memory, control_groups.memory()))


def locked_versions(lock: Path) -> dict[str, str]:
    """{name: version} that a lock file asks for on this machine, markers evaluated.

    Lines with a marker are left out where no package can evaluate it.
    """
    try:
        from packaging.markers import Marker
    except ImportError:
        try:
            from pip._vendor.packaging.markers import Marker
        except ImportError:
            Marker = None
    versions = {}
    for line in lock.read_text(encoding="utf-8").splitlines():
        match = re.match(r"([A-Za-z0-9._-]+)==([^\s;\\]+)\s*(?:;\s*(.*?))?\s*\\?$", line)
        if not match:
            continue
        name, version, marker = match.groups()
        if not marker or (Marker and Marker(marker).evaluate()):
            versions[name] = version
    return versions


def engine_sockets(environ=os.environ) -> list[str]:
    """Unix sockets where a container engine may listen: the one DOCKER_HOST names, else the usual ones."""
    if host := environ.get("DOCKER_HOST"):
        return [host.removeprefix("unix://")] if host.startswith("unix://") else []
    home, run = Path.home(), environ.get("XDG_RUNTIME_DIR", "")
    places = ["/var/run/docker.sock", home / ".docker/run/docker.sock", home / ".docker/desktop/docker.sock"]
    places += [home / ".colima/default/docker.sock", "/run/podman/podman.sock"]
    places += [f"{run}/docker.sock", f"{run}/podman/podman.sock"] if run else []
    return [str(place) for place in places]


def ping_engine(place: str) -> bool:
    """Whether an engine answers ``GET /_ping`` on this unix socket."""
    connection = http.client.HTTPConnection("localhost", timeout=1)
    try:
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.sock.settimeout(1)
        connection.sock.connect(place)
        connection.request("GET", "/_ping")
        return connection.getresponse().status == 200
    except (OSError, AttributeError, http.client.HTTPException):  # AttributeError: no unix sockets here
        return False
    finally:
        connection.close()


def printed(command: list[str], seconds: float = 2.0) -> str | None:
    """First line that a command prints; "" if it fails or is missing, None if it takes longer than this."""
    try:
        process = subprocess.run(
            command, capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL, check=True
        )
    except subprocess.TimeoutExpired:
        return None
    except (OSError, subprocess.SubprocessError, UnicodeError):
        return ""
    return (process.stdout.strip().splitlines() or [""])[0].strip()


def java(environ=os.environ) -> str | None:
    """The program ``java``, of JAVA_HOME or else of PATH, if it runs; None where there is none.

    macOS has a ``java`` that only says that there is none: it fails.
    """
    home = environ.get("JAVA_HOME")
    program = shutil.which("java", path=str(Path(home) / "bin") if home else environ.get("PATH"))
    command = [program, "-XX:-UsePerfData", "--version"]  # without the option it leaves a folder in /tmp
    return program if program and printed(command, seconds=20) != "" else None


def peak_memory(pid: int) -> float:
    """The most memory in MiB that a process has had, without its children; 0 where the system is silent."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    peaks = (int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    return next(peaks, 0) / 1024


def described() -> str:
    """This machine in a line, to stand beside a recorded figure: processor, cores, memory, system."""
    name = platform.processor() or platform.machine()
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line for line in lines if line.startswith("model name")).split(": ", 1)[1]
    return f"{name}, {usable_cores():g} cores, {usable_memory() / 2**30:.0f} GiB, {platform.system()}"
