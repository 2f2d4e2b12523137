"""A share of a core for a running process: by a control group where there is root, else stopped in turns

Replicas on one machine compete for its cores, so that three answer no more than two busy ones. Held to a
tenth of a core each, they are small machines of their own. A control group lets a process compute for its
share of every PERIOD. Without root the process is stopped for the rest of each period, whether it computes or
not (``duty_cycle``). Knows nothing of what the process does.
"""

import os
import secrets
import sys
from contextlib import suppress
from pathlib import Path

from fsdl_deploy.running.watched import Watched

PERIOD = 0.02  # seconds
UNLIMITED = (
    "On Windows a replica cannot be held to a share of a core: all compete for the cores there are, so more "
    "replicas hardly answer more."
)
GROUPS = Path("/sys/fs/cgroup")
_PREFIX = "fsdl-deploy-"


class Share:
    """``pid`` is held to ``share`` of a core until ``close()``; ``how``: by what, None where nothing can."""

    def __init__(self, pid: int, share: float, groups: Path = GROUPS):
        if not 0.02 <= share <= 1:
            raise ValueError(f"a share is a part of one core, from 0.02 to 1, not {share}")
        self.how: str | None = None
        self._duty: Watched | None = None
        self._group = next(filter(None, (_group(pid, share, groups / name) for name in ("cpu", "."))), None)
        if self._group is not None:
            self.how = "control group"
        elif os.name == "posix":
            program = Path(__file__).with_name("duty_cycle.py")
            command = [sys.executable, "-I", "-S", str(program), str(pid), str(share), str(PERIOD)]
            self._duty, self.how = Watched(command, dict(os.environ), None, grace=1), "stopped in turns"

    def close(self) -> None:
        """Let the process have all the processor time that it can get."""
        if self._duty is not None:
            self._duty.stop()
        if self._group is not None:
            self._group.close()


class _Group:
    """A control group with one process in it, which goes back where it came from."""

    def __init__(self, pid: int, folder: Path):
        self.pid, self.folder, self.home = pid, folder, _home(pid, folder.parent)
        _join(folder, pid)

    def close(self) -> None:
        with suppress(OSError):  # the process may have ended
            _join(self.home, self.pid)
        with suppress(OSError):
            self.folder.rmdir()


def _group(pid: int, share: float, parent: Path) -> _Group | None:
    """A new group of ``parent`` with this process; None where that may not be, or where no groups are.

    Version 1 of control groups has a tree for processor time in a folder ``cpu``, version 2 one tree for all.
    """
    _sweep(parent)
    folder = parent / f"{_PREFIX}{os.getpid()}-{secrets.token_hex(3)}"
    try:
        folder.mkdir()
        period = max(1000 * PERIOD, 1 / share)  # in milliseconds: the kernel gives one at least
        _limit(folder, round(1000 * share * period), round(1000 * period))
        return _Group(pid, folder)
    except OSError:
        with suppress(OSError):
            folder.rmdir()
        return None


def _limit(folder: Path, quota: int, period: int) -> None:
    """Let the group compute for ``quota`` of each ``period``, in microseconds."""
    if (folder / "cpu.cfs_quota_us").exists():
        (folder / "cpu.cfs_period_us").write_text(str(period))
        (folder / "cpu.cfs_quota_us").write_text(str(quota))
    elif (folder / "cpu.max").exists():
        (folder / "cpu.max").write_text(f"{quota} {period}")
    else:
        raise FileNotFoundError(f"{folder} limits no processor time")


def _join(folder: Path, pid: int) -> None:
    (folder / "cgroup.procs").write_text(str(pid))


def _home(pid: int, parent: Path) -> Path:
    """The group in which a process is, in the tree of ``parent``."""
    for line in Path("/proc", str(pid), "cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        if "cpu" in names.split(",") if parent.name == "cpu" else not names:
            home = parent / path.lstrip("/")
            # A container may see its whole path, and only a part of the tree.
            return home if home.is_dir() else parent
    return parent


def _sweep(parent: Path) -> None:
    """Remove the empty groups that killed processes of the course have left."""
    for left in parent.glob(f"{_PREFIX}*"):
        if not Path("/proc", left.name.removeprefix(_PREFIX).partition("-")[0]).exists():
            with suppress(OSError):
                left.rmdir()
