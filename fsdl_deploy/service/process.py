"""The process around the service: the socket on which it listens, its end on a signal.

Knows uvicorn, sockets and signals; knows nothing about routes, bodies or pictures. ``serve`` runs it.
"""

import asyncio
import os
import socket
from collections.abc import Callable
from functools import partial

import uvicorn

from fsdl_deploy.reading import Reader
from fsdl_deploy.service import allocator
from fsdl_deploy.service.app import create_app
from fsdl_deploy.service.connection_limit import ConnectionLimit, most_connections
from fsdl_deploy.service.last_calls import let_in
from fsdl_deploy.service.model import Model

GRACE = 30.0
"""Seconds for the requests that were taken before the end. It is what Kubernetes gives a pod, too."""


def serve(
    reader: Reader | Callable[[], Reader],
    host: str,
    port: int,
    drain: float = 0.0,
    grace: float = GRACE,
    **settings,
) -> int:
    """Serve until SIGTERM or Ctrl-C; print the URL when the port is open. ``settings`` are create_app's.

    ``drain``: seconds from the signal to the end of new requests, see Draining. ``grace``: seconds from then
    on for those that were taken, run or wait; what is not answered by then is broken off.
    Raises ValueError or OSError for a bad or taken address, RuntimeError when the model does not load.
    """
    listener = listen(host, port)
    announce(listener)
    return serve_on(listener, reader, drain=drain, grace=grace, **settings)


def announce(listener: socket.socket) -> None:
    """Print the URL at which a socket listens."""
    host, port = listener.getsockname()[:2]
    print(f"serving at http://{f'[{host}]' if ':' in host else host}:{port}", flush=True)


def serve_on(
    listener: socket.socket,
    reader: Reader | Callable[[], Reader],
    server_of: Callable[[uvicorn.Config, Model, float], "Draining"] | None = None,
    drain: float = 0.0,
    grace: float = GRACE,
    **settings,
) -> int:
    """``serve`` on a socket that listens, which it closes; ``server_of`` makes another Draining server."""
    allocator.keep_little()
    app = create_app(reader, on_failure=lambda: setattr(server, "should_exit", True), **settings)
    config = uvicorn.Config(
        app,
        http=http_protocol(),
        ws="none",
        log_level="warning",
        timeout_keep_alive=30,
        timeout_graceful_shutdown=grace,
    )
    server = (server_of or Draining)(config, app.state.model, drain)
    server.run(sockets=[listener])
    if app.state.model.failure:
        raise RuntimeError(f"the model did not load: {app.state.model.failure}")
    return 0


def http_protocol():
    """What uvicorn is to speak HTTP with: httptools, else h11; each in a connection of ours."""
    try:
        from fsdl_deploy.service.header_limit import BoundedHead
    except ImportError:  # a small environment, such as the image, is without httptools
        from fsdl_deploy.service.h11_connection import WholeH11

        return WholeH11
    return BoundedHead


class Draining(uvicorn.Server):
    """On the first SIGTERM or Ctrl-C it goes on for ``seconds``, but says on ``/readyz`` that it stops.

    So a balancer has the time to send new requests elsewhere, and none is lost. Then it takes no more, and
    ends when those that it took are answered. A further signal ends it at once.
    """

    others_listen = False
    """Whether other processes go on to listen on its sockets, and so take who has knocked."""

    def __init__(self, config: uvicorn.Config, model: Model, seconds: float):
        super().__init__(config)
        self.model, self.seconds = model, seconds

    async def startup(self, sockets=None) -> None:
        self.loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self.server_state.connection_limit = ConnectionLimit(most_connections())

    async def shutdown(self, sockets=None) -> None:
        """Let in who has knocked, take no more, answer what was taken."""
        self.model.stopping = True
        if not self.others_listen:
            await let_in(sockets or ())
        await super().shutdown(sockets)

    def handle_exit(self, sig, frame) -> None:
        if self.model.stopping or not self.seconds or not hasattr(self, "loop"):
            return super().handle_exit(sig, frame)
        self.model.stopping = True
        end = partial(super().handle_exit, sig, frame)
        self.loop.call_soon_threadsafe(self.loop.call_later, self.seconds, end)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 is a free one. Raises ValueError or OSError with a sentence."""
    if not 0 <= port <= 65535:
        raise ValueError(f"port {port} does not exist: choose 1 to 65535, or 0 for a free one")
    # asyncio sends small packets at once (TCP_NODELAY) only where the socket says that it is TCP; a socket
    # of create_server does not, and each answer would wait 40 ms for an acknowledgement.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere this option would let two programs share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise OSError(
            f"cannot listen on {host}:{port} ({error.strerror}): stop the program that uses the port, "
            "or choose another with --port (0 picks a free one)"
        ) from None
    return listener
