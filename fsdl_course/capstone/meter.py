"""What a service takes: its processes, memory and processor time; by control groups where there are some.

A group counts what a look at the processes misses: children that live for a moment, and processes that have
left their parent. Without one (a grader that is not root) both are counted as well as a look allows.
"""

import contextlib
import os
import re
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Taken:
    """Bytes of memory now, processor seconds since the start, processes that the bound of memory ended."""

    memory: int = 0
    cpu: float = 0.0
    killed: int = 0


def core_seconds(core: int) -> float:
    """Seconds in which ``core`` did something for anybody, since it began; 0 where nobody counts."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/stat").read_text(encoding="ascii").splitlines():
            name, *times = line.split()
            if name == f"cpu{core}":
                user, nice, system, _, _, *more = map(int, times[:8])  # idle and waiting are no work
                return (user + nice + system + sum(more)) / os.sysconf("SC_CLK_TCK")
    return 0.0


@dataclass
class OthersShare:
    """Seconds in which others had the service's core, since this was made: in those it could not run.

    ``meter``: whatever says what the service has ``taken()``.
    """

    meter: "ServiceMeter"
    core: int

    def __post_init__(self):
        self.begun, self.core_before = time.monotonic(), core_seconds(self.core)
        self.own_before = self.meter.taken().cpu

    def seconds(self) -> float:
        """So far; what the service does itself is none of it."""
        own = self.meter.taken().cpu - self.own_before
        return min(self.elapsed(), max(0.0, core_seconds(self.core) - self.core_before - own))

    def elapsed(self) -> float:
        """Seconds by the clock."""
        return time.monotonic() - self.begun

    def longer(self, limit: float) -> bool:
        """Whether it took longer than ``limit``, which others can lengthen threefold at most."""
        return self.elapsed() - min(self.seconds(), 2 * limit) > limit


@dataclass
class ServiceMeter:
    """Looks at the service below the sandbox's outer process ``pid``.

    ``groups``: folders of its control groups, if there are some; ``passed`` is set by a watch without them.
    """

    pid: int
    groups: tuple[Path, ...] = ()
    passed: threading.Event = field(default_factory=threading.Event)

    def processes(self) -> list[psutil.Process]:
        """All of the service's processes, the first of them first; without the sandbox's own two.

        They are known by their numbers inside, which nobody chooses: names can be changed.
        """
        numbered = [(_number_inside(process.pid), process) for process in self._tree()]
        inside = [(number, process) for number, process in numbered if number > 1]
        return [process for _, process in sorted(inside, key=lambda pair: pair[0])]

    def taken(self) -> Taken:
        """What it takes now; zeros once it has gone."""
        processes = self.processes()
        memory = self._resident()
        if memory is None:
            memory = 0
            for process in processes:
                with contextlib.suppress(psutil.Error):
                    memory += process.memory_info().rss
        if processes:
            memory += _scratch(processes[0].pid)
        return Taken(memory, self._seconds(), max(self._killed(), int(self.passed.is_set())))

    def _tree(self) -> list[psutil.Process]:
        try:
            return psutil.Process(self.pid).children(recursive=True)
        except psutil.Error:
            return []

    def _file(self, name: str) -> str | None:
        for folder in self.groups:
            with contextlib.suppress(OSError):
                return (folder / name).read_text(encoding="ascii")
        return None

    def _resident(self) -> int | None:
        """Bytes that belong to the processes alone: neither files that are kept in memory nor STATE."""
        for name in ("total_rss", "anon"):  # control groups of version 1, and of version 2
            if at := re.search(rf"^{name} (\d+)", self._file("memory.stat") or "", re.M):
                return int(at[1])
        return None

    def _seconds(self) -> float:
        if nanoseconds := self._file("cpuacct.usage"):
            return int(nanoseconds) / 1e9
        if at := re.search(r"^usage_usec (\d+)", self._file("cpu.stat") or "", re.M):
            return int(at[1]) / 1e6
        seconds = 0.0
        for process in self._tree():  # the sandbox's first process has buried those who left their parents
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                seconds += times.user + times.system + times.children_user + times.children_system
        return seconds

    def _killed(self) -> int:
        text = (self._file("memory.oom_control") or "") + (self._file("memory.events") or "")
        return sum(int(count) for count in re.findall(r"^oom_kill (\d+)", text, re.M))


def _number_inside(pid: int) -> int:
    """The process's number inside: 1 is the sandbox's own, 2 the start command, 0: it has gone."""
    with contextlib.suppress(OSError):
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
        if at := re.search(r"^NSpid:\s+([\d\s]+)$", status, re.M):
            return int(at[1].split()[-1])
    return 0


def _scratch(pid: int) -> int:
    """Bytes in /tmp of a sandbox: they are in memory, and belong to nobody's processes."""
    with contextlib.suppress(OSError):
        room = os.statvfs(f"/proc/{pid}/root/tmp")
        return (room.f_blocks - room.f_bfree) * room.f_frsize
    return 0
