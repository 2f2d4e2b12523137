"""Bounds for all processes of a sandbox together: Linux's control groups, or else a watch on them."""

import contextlib
import os
import secrets
import select
import threading
import time
from pathlib import Path

from fsdl_course.labs.backends.backend import MEMORY, PROCESSES

# What a shell does to be in the groups before the sandbox's program starts.
ENTER_GROUP = 'while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs" || exit 9; shift; done; shift; exec "$@"'


@contextlib.contextmanager
def control_group(memory: int = MEMORY, processes: int = PROCESSES):
    """New control groups with a sandbox's bounds -> their folders; None where none can be made."""
    top, name = Path("/sys/fs/cgroup"), f"fsdl-grade-{os.getpid()}-{secrets.token_hex(4)}"
    if (top / "cgroup.controllers").exists():
        bounds = {
            top: {
                "memory.max": memory,
                "memory.swap.max": 0,
                "pids.max": processes,
                "cpu.max": "100000 100000",
            }
        }
    else:
        bounds = {
            top / "memory": {"memory.limit_in_bytes": memory},
            top / "pids": {"pids.max": processes},
            top / "cpu": {"cpu.cfs_quota_us": 100000},
        }
        if (top / "cpuacct").is_dir() and not (top / "cpu" / "cpuacct.usage").exists():
            bounds[top / "cpuacct"] = {}  # mounted apart, it counts apart
    groups = []
    try:
        for parent, files in bounds.items():
            for left in parent.glob("fsdl-grade-*-*"):  # of a grader that was killed
                if not Path(f"/proc/{left.name.split('-')[2]}").exists():
                    _remove_groups([left], patience=0)
            folder = parent / name
            folder.mkdir()
            groups.append(folder)
            for file, value in files.items():
                if file != "memory.swap.max" or (folder / file).exists():
                    (folder / file).write_text(str(value), encoding="utf-8")
    except OSError:
        _remove_groups(groups)
        yield None
        return
    try:
        yield [str(folder) for folder in groups]
    finally:
        _remove_groups(groups)


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
def watched(pid: int, memory: int | None = None, processes: int | None = None):
    """End the sandbox that ``pid`` started when its processes together pass the bounds (a lab's by default).

    What is yielded is an event: it is set when the sandbox was ended for that.
    """
    import psutil

    over, passed = threading.Event(), threading.Event()
    memory, processes = memory or MEMORY, processes or PROCESSES

    def watch() -> None:
        while not over.wait(0.05):
            with contextlib.suppress(psutil.Error):
                top = psutil.Process(pid)
                inside = top.children(recursive=True)
                used, threads = 0, 0
                for process in inside:
                    with contextlib.suppress(psutil.Error):
                        used, threads = used + process.memory_info().rss, threads + process.num_threads()
                if used > memory or threads > processes + 4:
                    passed.set()
                    top.kill()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield passed
    finally:
        over.set()
        thread.join()
