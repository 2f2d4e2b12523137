"""A process with a network of its own, in which a service is started, loaded and disturbed.

``python -m fsdl_course.capstone.arena SPEC.json`` leaves the machine's network, so that the service in
the sandbox shares an empty one with the clients here, which keep the machine's files
and processes for themselves.
"""

import ctypes
import json
import os
import socket
import struct
import sys
from pathlib import Path

NEW_NET, NEW_USER = 0x40000000, 0x10000000
SIOCGIFFLAGS, SIOCSIFFLAGS, UP = 0x8913, 0x8914, 1


class ArenaError(RuntimeError):
    """This machine has no network namespace for us; the message says what to do."""


def leave_network() -> None:
    """Enter a new network namespace with a loopback. Raises ArenaError; call it before any thread runs."""
    import fcntl  # not on Windows, where this module can be imported, too

    user, group = os.getuid(), os.getgid()
    kernel = ctypes.CDLL(None, use_errno=True)
    if kernel.unshare(NEW_NET | (NEW_USER if os.geteuid() else 0)):
        raise ArenaError(
            f"no network namespace ({os.strerror(ctypes.get_errno())}): allow user namespaces "
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


def main(argv: list[str]) -> int:
    """Run the trial of a specification; 0, or 3 with a sentence on stderr where there is no arena here."""
    spec = json.loads(Path(argv[0]).read_text(encoding="utf-8"))
    try:
        leave_network()
    except (ArenaError, OSError) as problem:
        print(problem, file=sys.stderr)
        return 3
    from fsdl_course.capstone.trial import ServiceTrial

    ServiceTrial.of(spec).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
