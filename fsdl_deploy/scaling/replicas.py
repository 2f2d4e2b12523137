"""Replicas: copies of the course's service on this machine, each a process with its share of a core

A replica that is killed or hangs does so as on a machine of its own. Knows how one is started and ended, and
nothing of who sends it requests (``load_balancing``).
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psutil

from fsdl_deploy.running.course_servers import course_server
from fsdl_deploy.running.ports import problem_at
from fsdl_deploy.running.servers import Server
from fsdl_deploy.scaling.shares import Share


class Replica:
    """One copy: a ``server`` held to ``share`` of a core; None: it takes what it can get.

    ``with Replica(service(), share=0.1) as replica:``. Started again it keeps its port, so whoever sends it
    requests need not know. It starts at full speed; ``from_start``: with its share, as a container does.
    """

    def __init__(self, server: Server, share: float | None = None, *, from_start: bool = False):
        self.server, self.share = server, share
        self._held: Share | None = None
        self._held_pid: int | None = None
        if from_start and share is not None:
            server.ready = self._held_until(server.ready)

    def start(self) -> "Replica":
        """Start it and wait until it is ready. Raises ServerError if it cannot."""
        if not self.server.running:
            self._release()
            self.server.start()
            self.hold(self.share)
        return self

    def hold(self, share: float | None) -> None:
        """Hold it to this share of a core from now on."""
        self._release()
        self.share, self._held_pid = share, self.server.pid
        if share is not None:
            self._held = Share(self.server.pid, share)

    @property
    def held_by(self) -> str | None:
        """What holds it to its share: "control group", "stopped in turns"; None: nothing does."""
        return self._held.how if self._held is not None else None

    def stop(self) -> None:
        """SIGTERM: what it has taken is answered, within the server's grace."""
        if self.server.running:
            self.resume()  # a process that is stopped does not end
        self._release()
        self.server.stop()

    def kill(self) -> None:
        """SIGKILL, as in a crash: whoever waits for an answer loses the connection."""
        self.server.kill()
        self._release()

    def hang(self) -> None:
        """Stop it in the middle of whatever it does: it takes connections and never answers."""
        self._release()
        psutil.Process(self.server.pid).suspend()

    def resume(self) -> None:
        """Let it go on, with its share."""
        psutil.Process(self.server.pid).resume()
        self.hold(self.share)

    @property
    def port(self) -> int:
        return self.server.port

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def running(self) -> bool:
        return self.server.running

    def __enter__(self) -> "Replica":
        return self.start()

    def __exit__(self, *_) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"Replica {self.server.name!r}: {'running' if self.running else 'not running'}"

    def _held_until(self, path: str) -> Callable[[Server], bool]:
        """A check of readiness at ``path`` that holds a new process before it asks anything."""

        def ready(server: Server) -> bool:
            if server.pid != self._held_pid:
                self.hold(self.share)
            return problem_at(server.port, path) is None

        return ready

    def _release(self) -> None:
        if self._held is not None:
            self._held.close()
            self._held = None


def service(version: str = "v2", *options: str) -> Server:
    """The course's service as a replica is: one reading at a time, on one thread."""
    return course_server("serve", "--version", version, "--threads", "1", *options, timeout=180)


@contextmanager
def replicas(
    count: int,
    share: float | None = None,
    server: Callable[[], Server] = service,
    *,
    from_start: bool = False,
) -> Iterator[list[Replica]]:
    """``count`` of them, started side by side and always ended: ``with replicas(3, share=0.1) as fleet:``."""
    if count < 1:
        raise ValueError(f"there must be one replica at least, not {count}")
    fleet = [Replica(server(), share, from_start=from_start) for _ in range(count)]
    with ThreadPoolExecutor(count) as together:
        try:
            list(together.map(Replica.start, fleet))
            yield fleet
        finally:
            list(together.map(Replica.stop, fleet))
