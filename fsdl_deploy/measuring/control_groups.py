"""Control groups of Linux, in both versions: how many cores and how much memory a container may use

A process is in a group, which is in a group, and each may have a limit: the tightest counts. Knows files of
the kernel; on any other system there are none, and no limit.

Source: cgroups(7); Linux, Documentation/admin-guide/cgroup-v2.rst and cgroup-v1.
"""

import math
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc/self")


def cores(proc: Path = PROC) -> float:
    """Cores by the quota of processor time; infinity where there is none."""
    quotas = [_quota(folder / "cpu.max") for folder in _groups("cpu", proc)]
    for folder in _groups("cpu", proc):
        quota, period = (_number(folder / name) for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us"))
        if quota and period and quota > 0:  # -1: no limit
            quotas.append(quota / period)
    return min(filter(None, quotas), default=math.inf)


def memory(proc: Path = PROC) -> float:
    """Bytes of memory; infinity where there is no limit. Version 1 writes a number near 2**63 for none."""
    names = ("memory.max", "memory.limit_in_bytes")
    limits = [_number(folder / name) for folder in _groups("memory", proc) for name in names]
    return min(filter(None, limits), default=math.inf)


def _groups(controller: str, proc: Path) -> Iterator[Path]:
    """The folders of this process's groups, its own first, in each mounted hierarchy with ``controller``."""
    own = {}
    for line in _lines(proc / "cgroup"):
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        own[controller if controller in controllers.split(",") else controllers] = path
    for line in _lines(proc / "mountinfo"):
        before, _, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        if len(fields) < 5 or len(kind) < 3 or kind[0] not in ("cgroup", "cgroup2"):
            continue
        if kind[0] == "cgroup" and controller not in kind[2].split(","):
            continue
        path = own.get(controller if kind[0] == "cgroup" else "")
        if path is None:
            continue
        root, mount = (field.replace("\\040", " ") for field in fields[3:5])
        # What a container sees may begin at its own group, though the path is the machine's.
        below = path.removeprefix(root.rstrip("/")) if path.startswith(root) else ""
        group = Path(mount, *[part for part in below.split("/") if part not in ("", "..")])
        yield group
        yield from (parent for parent in group.parents if parent.is_relative_to(mount))


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return []


def _number(file: Path) -> int | None:
    try:
        return int(file.read_text(encoding="ascii"))
    except (OSError, ValueError):  # not of this version, or "max"
        return None


def _quota(file: Path) -> float | None:
    try:
        quota, period = file.read_text(encoding="ascii").split()
        return int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None
