"""A process with a network and a small disk of its own, in which a service is started, loaded and disturbed.

``python -m fsdl_course.capstone.arena SPEC.json`` leaves the machine's network, so that the service in
the sandbox shares an empty one with the clients here, which keep the machine's files
and processes for themselves. The disk for STATE lies in memory: what fills it, however, hurts nobody else.
"""

import ctypes
import json
import os
import socket
import struct
import sys
from pathlib import Path

NEW_NET, NEW_USER, NEW_MOUNTS = 0x40000000, 0x10000000, 0x00020000
NO_SUID, NO_DEVICES, RECURSIVE, PRIVATE = 0x2, 0x4, 0x4000, 0x40000  # flags of mount(2)
SIOCGIFFLAGS, SIOCSIFFLAGS, UP = 0x8913, 0x8914, 1


class ArenaError(RuntimeError):
    """This machine has no namespaces for us, or the sandbox is not shut; the message says what to do."""


def leave_machine() -> None:
    """Enter new namespaces: a network with a loopback, and mounts that nobody else sees.

    Raises ArenaError; call it before any thread runs.
    """
    import fcntl  # not on Windows, where this module can be imported, too

    user, group = os.getuid(), os.getgid()
    kernel = ctypes.CDLL(None, use_errno=True)
    if kernel.unshare(NEW_NET | NEW_MOUNTS | (NEW_USER if os.geteuid() else 0)):
        raise ArenaError(
            f"no namespaces ({os.strerror(ctypes.get_errno())}): allow user namespaces "
            "(sysctl user.max_user_namespaces, "
            "kernel.apparmor_restrict_unprivileged_userns), or run it as root"
        )
    if user:
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="ascii")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sH14x", b"lo", 0)
        flags = struct.unpack("16sH14x", fcntl.ioctl(control, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | UP))


def own_disk(folder: Path, size: int, files: int, owner: int) -> None:
    """Mount a disk in memory at ``folder``, of ``size`` bytes and so many files. Raises ArenaError."""
    kernel = ctypes.CDLL(None, use_errno=True)
    options = f"size={size},nr_inodes={files + 1},mode=0700,uid={owner},gid={owner}"
    place = os.fsencode(folder)
    if kernel.mount(b"none", b"/", None, RECURSIVE | PRIVATE, None) or kernel.mount(
        b"fsdl-state", place, b"tmpfs", NO_SUID | NO_DEVICES, options.encode()
    ):
        raise ArenaError(f"no disk of its own for STATE ({os.strerror(ctypes.get_errno())}): run it as root")


def service_core() -> int:
    """The core that the service gets; this process keeps off it where there is another."""
    *others, core = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, others or {core})
    return core


def main(argv: list[str]) -> int:
    """Run the trial of a specification; 0, or 3 with a sentence on stderr where there is no arena here."""
    spec = json.loads(Path(argv[0]).read_text(encoding="utf-8"))
    with socket.create_server(("127.0.0.1", 0)) as outside:  # of the machine: the service must not reach it
        try:
            leave_machine()
            from fsdl_course.capstone import sandboxed, walls
            from fsdl_course.capstone.trial import ServiceTrial

            owner = sandboxed.owner()
            own_disk(
                Path(spec["place"]["state"]),
                sandboxed.STATE_BYTES,
                sandboxed.STATE_FILES,
                os.getuid() if owner is None else owner,
            )
            trial = ServiceTrial.of(spec, service_core())
            if leaks := walls.leaks(trial.place, outside.getsockname()[1]):
                raise ArenaError(f"the sandbox is not shut: a service would reach {', '.join(leaks)}")
        except (ArenaError, OSError) as problem:
            print(problem, file=sys.stderr)
            return 3
        trial.run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
