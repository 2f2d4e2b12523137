"""``watchdog.py GRACE COMMAND...``: runs a server that must not outlive its owner.

Started by ``servers.Server`` and imported by nobody: the process whose death has to be noticed cannot
be the one that notices. It holds the end of a pipe from the owner, which closes however the owner
dies, and it looks at its parent too, since a fork of the owner may hold the pipe open. Then the server
gets SIGTERM, after GRACE seconds SIGKILL, and then the same goes to every child that is left. On Linux
that reaches children in sessions of their own, because orphans among them become children of this
process (prctl(2), PR_SET_CHILD_SUBREAPER). On macOS it reaches the server's process group, on Windows
its process tree.

stdin: ``kill`` kills the server, ``stop`` or the end of the file stops it, ``sync`` is answered by an empty
line once all that the server has written is in the log. stdout: ``pid N``, or ``error SENTENCE``, then those
lines. stderr: the log. Exit status: the server's, 128 + N if signal N ended it.
"""

import os
import select
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

LOG_BYTES = 2**20  # the log grows to twice this, then its older half goes
KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


def watch(grace: float, command: list[str]) -> int:
    """Run ``command`` until it ends or must end; return its exit status."""
    owner = os.getppid()
    dies_with_me = None
    if sys.platform == "linux":
        import ctypes

        prctl = ctypes.CDLL(None).prctl
        prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

        def dies_with_me():  # in case that the watchdog itself is killed
            prctl(PR_SET_PDEATHSIG, int(KILL), 0, 0, 0)

    try:
        server = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=dies_with_me,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
    except OSError as error:
        os.write(1, f"error {error}\n".encode(errors="replace"))
        return 127

    def stop(*_):
        send(server.pid, signal.SIGTERM)
        timer = threading.Timer(grace, send, (server.pid, KILL))
        timer.daemon = True
        timer.start()

    def obey():
        while (word := os.read(0, 5)) in (b"kill\n", b"sync\n"):
            if word == b"kill\n":
                send(server.pid, KILL)
            else:
                written = time.monotonic() + 1  # one that never stops writing is not waited for
                while log.is_alive() and time.monotonic() < written and waiting(server.stdout.fileno()):
                    time.sleep(0.001)
                with suppress(OSError):  # whoever asked is gone
                    os.write(1, b"\n")
        stop()

    def notice():
        while os.getppid() == owner:
            time.sleep(0.5)
        stop()

    for name in {"SIGTERM", "SIGINT", "SIGHUP"} & set(dir(signal)):
        signal.signal(getattr(signal, name), stop)
    copying = threading.Lock()

    def waiting(source: int) -> bool:
        with copying:  # not between reading and writing
            return bool(select.select([source], [], [], 0)[0])

    log = threading.Thread(target=keep_log, args=(server.stdout.fileno(), copying), daemon=True)
    log.start()
    os.write(1, f"pid {server.pid}\n".encode())
    threading.Thread(target=obey, daemon=True).start()
    if os.name == "nt":
        status = server.wait()
    else:
        threading.Thread(target=notice, daemon=True).start()
        status = wait_for(server.pid)
        end_children(server.pid, min(grace, 2))
    log.join(2)
    return status


def send(pid: int, signum: int) -> None:
    """Send a signal to a process, or to a group if ``pid`` is negative; on Windows end its tree at once."""
    if os.name == "nt":
        subprocess.run(["taskkill", "/T", "/F", "/PID", str(pid)], capture_output=True)
    else:
        with suppress(OSError):
            os.kill(pid, signum)


def wait_for(server: int) -> int:
    """Wait for the server and collect the orphans that end before it; return the server's exit status."""
    while True:
        pid, status = os.wait()
        if pid == server:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def end_children(server: int, grace: float) -> None:
    """End what a dead server has left behind."""
    for signum, seconds in ((signal.SIGTERM, grace), (KILL, 5)):
        deadline = time.monotonic() + seconds
        told = set()
        while (left := children(server)) and time.monotonic() < deadline:
            for pid in left - told:
                send(pid, signum)
            told |= left
            time.sleep(0.02)


def children(server: int) -> set[int]:
    """What is alive of a dead server: process ids on Linux, elsewhere its group as a negative number."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    if sys.platform != "linux":
        with suppress(OSError):
            os.kill(-server, 0)
            return {-server}
        return set()
    of_parent: dict[int, list[int]] = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
            parent = int(file.read().rpartition(b")")[2].split()[1])
            of_parent.setdefault(parent, []).append(int(name))
    found, todo = set(), [os.getpid()]
    while todo:
        new = of_parent.get(todo.pop(), [])
        found.update(new)
        todo += new
    return found


def keep_log(source: int, copying: threading.Lock) -> None:
    """Copy what the server writes to stderr, which is a file, and cut it before it fills the disk."""
    size = 0
    while True:
        if os.name == "posix":  # elsewhere a pipe cannot be asked
            select.select([source], [], [])
        with copying:
            if not (chunk := os.read(source, 2**16)):
                return
            with suppress(OSError):  # on a full disk the server must go on
                size += os.write(2, chunk)
                if size > 2 * LOG_BYTES:
                    os.lseek(2, size - LOG_BYTES, os.SEEK_SET)
                    kept = b"... (the log was long: its beginning is gone)\n" + os.read(2, LOG_BYTES)
                    os.ftruncate(2, 0)
                    os.lseek(2, 0, os.SEEK_SET)
                    size = os.write(2, kept)


if __name__ == "__main__":
    # Not sys.exit: threads of this process may be blocked in a read.
    os._exit(watch(float(sys.argv[1]), sys.argv[2:]))
