"""Namespaces by bubblewrap: of this machine's files only Python and what it is made of, and no network."""

import contextlib
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fsdl_course.labs.backends.backend import (
    EACH,
    ENVIRONMENT,
    NOBODY,
    PROCESSES,
    SCRATCH,
    SHARED,
    Backend,
    SandboxProcess,
    bytecode,
    spawn,
)
from fsdl_course.labs.backends.control_groups import ENTER_GROUP, control_group, watched
from fsdl_course.labs.inside.program import program
from fsdl_course.setup.environment import BYTECODE


@dataclass
class Bubblewrap(Backend):
    """Memory and processes are bounded by control groups, or by a watch on them."""

    name: str = "bubblewrap"

    def each(self) -> dict[str, int]:
        """Without root there is no group that counts processes; since Linux 5.14 a user namespace does."""
        release = tuple(int(number) for number in re.findall(r"\d+", os.uname().release)[:2])
        if os.geteuid() == 0 or release < (5, 14):
            return EACH
        return {**EACH, "RLIMIT_NPROC": PROCESSES}

    def start(self, slot: int) -> SandboxProcess:
        undo = contextlib.ExitStack()
        group = undo.enter_context(control_group()) if os.geteuid() == 0 else None
        if group is None:
            process = spawn(self.command(slot), undo, env={"PATH": os.environ.get("PATH", "")})
            undo.enter_context(watched(process.popen.pid))
            return process
        # The group is entered between fork and exec, so that nothing of the sandbox is outside of it.
        return spawn(
            ["/bin/sh", "-c", ENTER_GROUP, "sh", *group, "--", *self.command(slot)],
            undo,
            env={"PATH": "/usr/bin:/bin"},
        )

    def command(self, slot: int) -> list[str]:
        words = walls("sandbox", ("ipc", "pid", "net", "uts", "cgroup-try"), SCRATCH, SHARED)
        words += closing("/tmp", {**ENVIRONMENT, **bytecode()})
        return [*words, *another_user(slot), "--", sys.executable, "-s", "-c", program()]


def walls(host: str, apart: Sequence[str], scratch: int, shared: int, etc: Sequence[str] = ()) -> list[str]:
    """Words of bubblewrap: namespaces of its own (``apart``), the system's and Python's folders to read only,
    ``scratch`` bytes of /tmp and ``shared`` of /dev/shm. ``etc``: words that make more of /etc.
    """
    words = [shutil.which("bwrap") or "bwrap", "--die-with-parent", "--new-session", "--hostname", host]
    words += [f"--unshare-{what}" for what in apart]
    words += ["--perms", "1777", "--size", str(scratch), "--tmpfs", "/tmp", "--ro-bind", "/usr", "/usr"]
    for name in ("bin", "lib", "lib64", "sbin"):
        words += same_place(f"/{name}")
    words += [*etc, "--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache", *pythons_folders()]
    return [*words, "--dev", "/dev", "--size", str(shared), "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]


def closing(folder: str, environment: Mapping[str, str]) -> list[str]:
    """Words that close the root against writing, and say where and with which environment it starts."""
    words = ["--remount-ro", "/", "--chdir", folder, "--clearenv"]
    for name, value in environment.items():
        words += ["--setenv", name, value]
    return words


def same_place(path: str) -> list[str]:
    """Words that make ``path`` in the sandbox what it is here: a link into /usr, or a folder."""
    if os.path.islink(path):
        return ["--symlink", os.readlink(path), path]
    return ["--ro-bind", path, path] if os.path.isdir(path) else []


def pythons_folders() -> list[str]:
    """Words that show Python's own folders, and of what Python has compiled only what belongs to them."""
    home = Path(os.path.realpath(sys.executable)).parent.parent  # what the environment was made from
    folders, words = list(dict.fromkeys([str(home), sys.base_prefix, sys.prefix])), []
    for folder in folders:
        if not folder.startswith("/usr/"):
            words += [*_way_to(Path(folder), Path("/")), "--ro-bind", folder, folder]
    for compiled in compiled_code():
        words += ["--perms", "0755", "--tmpfs", str(compiled)]
        for place in (compiled / Path(folder).relative_to("/") for folder in folders):
            if place.is_dir():
                words += [*_way_to(place, compiled), "--ro-bind", str(place), str(place)]
        words += ["--remount-ro", str(compiled)]
    return words


def _way_to(place: Path, top: Path) -> list[str]:
    """Words that make the folders between ``top`` and ``place``; else only root could pass through them."""
    between = [folder for folder in reversed(place.parents) if folder != top and folder.is_relative_to(top)]
    return [word for folder in between for word in ("--perms", "0755", "--dir", str(folder))]


def compiled_code() -> list[Path]:
    """Folders in the environment where ``make test``, or this process, keeps what Python has compiled.

    The code of the course is among it, and of whatever else has run.
    """
    environment = Path(sys.prefix).resolve()
    places = [environment / BYTECODE, *([Path(sys.pycache_prefix).resolve()] if sys.pycache_prefix else [])]
    inside = [place for place in places if place.is_dir() and place.is_relative_to(environment)]
    return list(dict.fromkeys(inside))


def another_user(slot: int) -> list[str]:
    """Words that leave student code without rights, as a user that belongs to no one."""
    if os.geteuid() != 0:
        return ["--unshare-user", "--uid", str(NOBODY), "--gid", str(NOBODY), "--cap-drop", "ALL"]
    # The mounts are made by root, who may read the course's folder; student code is another user.
    user, words = str(NOBODY + slot), ["--cap-drop", "ALL"]
    for capability in ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"):
        words += ["--cap-add", capability]
    words += ["--", "/usr/bin/setpriv", "--reuid", user, "--regid", user, "--clear-groups"]
    return [*words, "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all"]
