"""A program under the watchdog: it ends with the process that started it, and its log outlives it.

Knows processes, pipes and files; knows nothing about ports, or about when a program is ready.
"""

import os
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

_WATCHDOG = Path(__file__).with_name("watchdog.py")


class Watched:
    """``command`` under a ``watchdog`` process, started at once; it ends with the last reference to it.

    ``env``: all of its variables. ``grace``: seconds from SIGTERM to SIGKILL. ``pid`` is the program's.
    Raises OSError with a sentence when it cannot be started.
    """

    def __init__(
        self, command: Sequence[str], env: Mapping[str, str], cwd: str | os.PathLike | None, grace: float
    ):
        self._owner, self._grace = os.getpid(), grace
        file, path = tempfile.mkstemp(prefix="fsdl-server-", suffix=".log")
        self._log = open(path, "rb", buffering=0)  # noqa: SIM115 - log() reads it as long as this is there
        weakref.finalize(self, _forget, self._log, path)
        if os.name == "posix":
            os.unlink(path)  # the open files keep it, so that no crash can leave it behind
        try:
            self._watchdog = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_WATCHDOG), str(grace), *command],
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                env=env,
                cwd=cwd,
                start_new_session=True,  # Ctrl-C and the end of a kernel's process group are not for it
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # the same on Windows
            )
        finally:
            os.close(file)
        self._finalizer = weakref.finalize(self, _end, self._watchdog, self._owner, grace)
        try:
            self.pid = self._started()
        except BaseException:  # an interrupt too must not leave a program behind
            self.stop()
            raise

    def _started(self) -> int:
        word, _, rest = self._watchdog.stdout.readline().decode(errors="replace").strip().partition(" ")
        if word != "pid":
            raise OSError(rest or self.log())
        return int(rest)

    @property
    def running(self) -> bool:
        """Whether the program lives."""
        return self._watchdog.poll() is None

    @property
    def how_it_ended(self) -> str:
        """Half a sentence about the end of a program that is not running any more."""
        status = self._watchdog.returncode
        return f"was killed by signal {status - 128}" if status > 128 else f"ended with exit status {status}"

    def stop(self) -> None:
        """SIGTERM, after ``grace`` seconds SIGKILL; then the same for every child that is left."""
        _end(self._watchdog, self._owner, self._grace)
        self._finalizer.detach()

    def kill(self) -> None:
        """SIGKILL, as in a crash; its children go too."""
        if self.running:
            with suppress(OSError):
                self._watchdog.stdin.write(b"kill\n")
            self._watchdog.wait(self._grace + 10)

    def log(self) -> str:
        """What it has written: all of it, up to some MB."""
        if self.running and os.name == "posix" and self._owner == os.getpid():
            with suppress(OSError):  # it has just ended: then all is there
                self._watchdog.stdin.write(b"sync\n")
                self._watchdog.stdout.readline()
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def processes(self) -> list:
        """The program and its children, as ``psutil.Process``; none after its end."""
        import psutil

        with suppress(psutil.Error):
            return psutil.Process(self._watchdog.pid).children(recursive=True)
        return []

    def listens_at(self, port: int) -> bool | None:
        """Whether it or a child of it listens at the TCP port; None where nobody knows, and after its end."""
        import psutil

        family = self.processes()
        for process in family:
            try:
                sockets = process.net_connections("tcp")
            except psutil.NoSuchProcess:
                continue
            except psutil.Error:  # another user's
                return None
            if any(s.status == psutil.CONN_LISTEN and s.laddr.port == port for s in sockets):
                return True
        return False if family and sys.platform == "linux" else None  # elsewhere a child may be out of sight


def _forget(log: IO[bytes], path: str) -> None:
    log.close()
    if os.name != "posix":
        with suppress(OSError):
            os.unlink(path)


def _end(watchdog: subprocess.Popen, owner: int, grace: float) -> None:
    """Let the watchdog end the program, and wait for both."""
    if os.getpid() != owner:  # a forked child of the notebook has a copy of this, not the program
        return
    with suppress(OSError, ValueError):
        watchdog.stdin.write(b"stop\n")
    watchdog.stdin.close()
    try:
        watchdog.wait(2 * grace + 10)
    except subprocess.TimeoutExpired:
        watchdog.kill()
        watchdog.wait()
    watchdog.stdout.close()
