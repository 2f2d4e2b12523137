"""Any server as a subprocess that does not outlive the notebook which started it.

``Server`` picks a free loopback port, starts the command under a ``watchdog`` process, waits until it
is ready, and shows its log when it is not. However the notebook ends (error, interrupt, restart,
SIGKILL), the watchdog ends the server with all its children.

Knows nothing about what the server serves (the course's own are in ``course_servers``), nor about containers:
those belong to their engine, not to the process that asked for them.
"""

import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from fsdl_deploy.running.ports import HOST, free_port, names_a_taken_port, problem_at
from fsdl_deploy.running.watched import Watched

_TAIL = 30  # lines of log in an error
_ATTEMPTS = 5  # at finding a port
# A kernel sets these for itself: a server would colour its log, or miss a module for plots.
_OF_THE_KERNEL = {"MPLBACKEND", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE"}


class ServerError(RuntimeError):
    """The server did not start, died, or is not running; the message ends with the tail of its log."""


class _PortTaken(ServerError):
    pass


class Server:
    """``with Server([sys.executable, "-m", "http.server", "{port}"], ready="/") as server:``

    ``command``: list of words; ``{port}`` in a word, or in a value of ``env``, becomes the port. The
    server must stay in the foreground. ``ready``: a path that answers below 400 once the server is
    ready; or a function of the Server that returns true; or None: ready when the port accepts.
    ``env``: variables beside those of this process. ``timeout``: seconds it has to become ready.
    ``grace``: seconds from SIGTERM to SIGKILL. ``port``: this port and no other, where it stands in a
    configuration file (``free_port()`` finds one).

    When several cells need it: ``server = Server(...).start()``. It ends with ``stop()``, with the
    last reference to it, or with the process that started it, whichever comes first.
    """

    def __init__(
        self,
        command: Sequence[str | os.PathLike],
        ready: "str | Callable[[Server], object] | None" = "/healthz",
        *,
        name: str | None = None,
        env: dict[str, str] | None = None,
        cwd: str | os.PathLike | None = None,
        timeout: float = 60,
        grace: float = 5,
        port: int | None = None,
    ):
        if isinstance(command, str) or not command:
            raise ValueError('give the command as a list of words, such as ["uvicorn", "--port", "{port}"]')
        if isinstance(ready, str) and not ready.startswith("/"):
            raise ValueError(f"ready={ready!r} is not a path: a path starts with a slash, such as '/healthz'")
        self.command = [str(word) for word in command]
        self.env = {key: str(value) for key, value in (env or {}).items()}
        if port is None and not any("{port}" in text for text in [*self.command, *self.env.values()]):
            raise ValueError("no word of the command holds {port}, so the server would not know its port")
        self.ready, self.cwd, self.timeout, self.grace = ready, cwd, timeout, grace
        self.name = name or _name(self.command)
        self.port, self._port_stays = port, port is not None
        self._program: Watched | None = None

    def start(self) -> "Server":
        """Start and wait until ready; do nothing if it runs. A server started again keeps its port.

        Raises ServerError with the tail of the log if it dies or is not ready in ``timeout`` seconds.
        """
        if self.running:
            return self
        self.stop()
        for attempt in range(_ATTEMPTS):
            if not self._port_stays:
                self.port = free_port()
            try:
                self._launch()
                self._wait_until_ready()
                break
            except BaseException as error:  # an interrupt too must not leave a server behind
                self.stop()
                if not isinstance(error, _PortTaken) or attempt == _ATTEMPTS - 1:
                    raise
                time.sleep(0.2 * attempt)  # whoever has the port may be about to let go
        self._port_stays = True
        return self

    def stop(self) -> None:
        """SIGTERM, after ``grace`` seconds SIGKILL; then the same for every child that is left."""
        if self._program is not None:
            self._program.stop()

    def kill(self) -> None:
        """SIGKILL the server, as in a crash. Its children go too, so that ``start()`` finds the port free."""
        if self._program is not None:
            self._program.kill()

    def __enter__(self) -> "Server":
        return self.start()

    def __exit__(self, kind, error, traceback) -> None:
        if error is not None and not self.running:
            error.add_note(self._story("was not running any more"))
        self.stop()

    @property
    def running(self) -> bool:
        """Whether the server process lives, ready or not."""
        return self._program is not None and self._program.running

    @property
    def pid(self) -> int | None:
        """The process id of the server that was started last; None before the first start."""
        return self._program.pid if self._program is not None else None

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``, no slash at the end. Raises ServerError before the first start."""
        if self.port is None:
            raise ServerError(f"{self.name} has no address yet: start it first")
        return f"http://{HOST}:{self.port}"

    def log(self, lines: int | None = None) -> str:
        """What the server wrote since it last started: all of it (up to some MB), or the last ``lines``."""
        text = self._program.log() if self._program is not None else ""
        return text if lines is None else "\n".join(text.splitlines()[-lines:] if lines else [])

    def processes(self, word: str = "") -> list:
        """The server and its children, as ``psutil.Process``; those whose command line holds ``word``.

        With a word, one that has just ended is left out. Raises ServerError when it is not running.
        """
        if not self.running:
            raise ServerError(f"{self.name} is not running, so it has no processes to measure")
        family = self._program.processes()
        return [process for process in family if word in _command_line(process)] if word else family

    def memory(self) -> int:
        """Bytes of memory (RSS) of the server and its children; a page that two share counts twice."""
        import psutil

        total = 0
        for process in self.processes():
            with suppress(psutil.Error):
                total += process.memory_info().rss
        return total

    def __repr__(self) -> str:
        # Neither port nor pid: this line stands in notebooks whose outputs are compared.
        return f"Server {self.name!r}: {'running' if self.running else 'not running'}"

    def _launch(self) -> None:
        if self._port_stays and problem_at(self.port) is None:
            raise ServerError(f"port {self.port} is in use by another process: stop it or take another port")
        env = {key: value for key, value in os.environ.items() if key not in _OF_THE_KERNEL}
        env["PYTHONUNBUFFERED"] = "1"  # else the log of a Python server lags behind
        env |= {key: value.replace("{port}", str(self.port)) for key, value in self.env.items()}
        words = [word.replace("{port}", str(self.port)) for word in self.command]
        try:
            self._program = Watched(words, env, self.cwd, self.grace)
        except OSError as error:
            raise ServerError(f"{self.name} cannot be started: {error}") from None

    def _wait_until_ready(self) -> None:
        deadline, pause = time.monotonic() + self.timeout, 0.04
        while True:
            problem = self._problem()
            own = None if problem or callable(self.ready) else self._program.listens_at(self.port)
            if not self.running:
                kind = _PortTaken if names_a_taken_port(self.log()) else ServerError
                raise kind(self._story(f"{self._program.how_it_ended} before it was ready"))
            if own is False:
                raise _PortTaken(self._story(f"has not got port {self.port}, where another process answers"))
            if problem is None:
                return
            if time.monotonic() > deadline:
                raise ServerError(self._story(f"was not ready after {self.timeout:g} s: {problem}"))
            time.sleep(pause := min(1.2 * pause, 0.5))

    def _problem(self) -> str | None:
        """Why the server is not ready, None if it is."""
        if not callable(self.ready):
            return problem_at(self.port, self.ready)
        try:
            return None if self.ready(self) else "the check of readiness did not say yes"
        except (AttributeError, NameError, TypeError):  # a mistake in the function, and waiting mends none
            raise
        except Exception as error:
            return f"{type(error).__name__}: {error}"

    def _story(self, what: str) -> str:
        own = f"GET {self.ready} HTTP"  # the many questions from here would push the cause out of sight
        lines = [line for line in self.log().splitlines() if own not in line][-_TAIL:]
        end = "\n".join(lines) or "(it wrote nothing)"
        return f"{self.name} {what}.\n--- the end of its log ---\n{end}"


def _name(command: list[str]) -> str:
    words = [word for word in command[1:] if not word.startswith("-")]
    python = os.path.basename(command[0]).startswith("python") and "-c" not in command
    return os.path.basename(words[0] if python and words else command[0])


def _command_line(process) -> str:
    import psutil

    with suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""
