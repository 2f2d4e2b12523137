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
    try:
        server = launch(command)
    except OSError as error:
        os.write(1, f"error {error}\n".encode(errors="replace"))
        return 127
    watchdog = Watchdog(server, owner, grace)
    for name in {"SIGTERM", "SIGINT", "SIGHUP"} & set(dir(signal)):
        signal.signal(getattr(signal, name), watchdog.stop)
    watchdog.log.start()
    os.write(1, f"pid {server.pid}\n".encode())
    threading.Thread(target=watchdog.obey, daemon=True).start()
    if os.name == "nt":
        status = server.wait()
    else:
        threading.Thread(target=watchdog.notice, daemon=True).start()
        status = wait_for(server.pid)
        end_children(server.pid, min(grace, 2))
    watchdog.log.join(2)
    return status


def launch(command: list[str]) -> subprocess.Popen:
    """The server as a child that dies with this process; its orphans will be children of it too."""
    dies_with_me = None
    if sys.platform == "linux":
        import ctypes

        prctl = ctypes.CDLL(None).prctl
        prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

        def dies_with_me():  # in case that the watchdog itself is killed
            prctl(PR_SET_PDEATHSIG, int(KILL), 0, 0, 0)

    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=dies_with_me,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )


class Watchdog:
    """What the threads beside a server do: end it, obey its owner, notice the owner's death, keep its log."""

    def __init__(self, server: subprocess.Popen, owner: int, grace: float):
        self.server, self.owner, self.grace = server, owner, grace
        self.output, self.copying = server.stdout.fileno(), threading.Lock()
        self.log = threading.Thread(target=keep_log, args=(self.output, self.copying), daemon=True)

    def stop(self, *_) -> None:
        """SIGTERM now, SIGKILL when the grace is over."""
        send(self.server.pid, signal.SIGTERM)
        timer = threading.Timer(self.grace, send, (self.server.pid, KILL))
        timer.daemon = True
        timer.start()

    def obey(self) -> None:
        """Do what comes through the pipe from the owner, until it says stop or closes."""
        while (word := os.read(0, 5)) in (b"kill\n", b"sync\n"):
            if word == b"kill\n":
                send(self.server.pid, KILL)
            else:
                self.wait_for_log()
                with suppress(OSError):  # whoever asked is gone
                    os.write(1, b"\n")
        self.stop()

    def notice(self) -> None:
        """Stop the server once the owner is dead: a fork of the owner may hold the pipe open."""
        while os.getppid() == self.owner:
            time.sleep(0.5)
        self.stop()

    def wait_for_log(self) -> None:
        """Until all is in the log that the server has written; one that never stops is not waited for."""
        written = time.monotonic() + 1
        while self.log.is_alive() and time.monotonic() < written and self.output_waits():
            time.sleep(0.001)

    def output_waits(self) -> bool:
        with self.copying:  # not between reading and writing
            return bool(select.select([self.output], [], [], 0)[0])


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
        signalled = set()
        while (left := children(server)) and time.monotonic() < deadline:
            for pid in left - signalled:
                send(pid, signum)
            signalled |= left
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
    descendants, todo = set(), [os.getpid()]
    while todo:
        new = of_parent.get(todo.pop(), [])
        descendants.update(new)
        todo += new
    return descendants


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
