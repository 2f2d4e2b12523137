"""A Docker host elsewhere: the client here, the engine at the other end of a socket whose bytes are counted

What ``ssh -L`` does for an engine on a server, between two sockets of this machine: the client sends orders
and the build's context, all else stays at the host. No port is opened. Linux and macOS.
"""

import contextlib
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from fsdl_deploy.packaging.engine import engine_address
from fsdl_deploy.packaging.layers import build

TAG = "meter-reader:from-afar"
PIECE = 65536  # bytes that are passed on at once


def possible() -> bool:
    """Whether the engine that answers has a socket on this machine."""
    return (engine_address() or "").startswith("unix://")


def built_from_afar(context: Path) -> dict[str, float]:
    """Have the reader's image built by a client at the other end of a wire; megabytes of what went where.

    ``sent`` and ``received`` over the wire, and ``image``, which stays at the host and is removed there.
    """
    import docker

    with wire(engine_address()) as way:
        client = docker.DockerClient(base_url=way.address, timeout=600)
        try:
            build(client, TAG, context)
            image = client.images.get(TAG).attrs["Size"]
            client.images.remove(TAG, force=True)
        finally:
            client.close()
        return {"sent": way.sent / 1e6, "received": way.received / 1e6, "image": image / 1e6}


class Wire:
    """The way to a host: a client connects to ``address``; ``sent`` and ``received`` count its bytes."""

    def __init__(self, address: str):
        self.address, self.sent, self.received = address, 0, 0


@contextlib.contextmanager
def wire(host: str) -> Iterator[Wire]:
    """A way to the engine at ``host`` (``unix:///var/run/docker.sock``), for as long as the ``with`` lasts.

    Raises ValueError for an address that is no socket of this machine.
    """
    if not host.startswith("unix://"):
        raise ValueError(f"{host} is no socket of this machine, so there is nothing to pass on to")
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listening:
        place = Path(folder) / "host.sock"  # the folder is its owner's alone
        listening.bind(str(place))
        listening.listen()
        way, open_sockets = Wire(f"unix://{place}"), []
        thread = threading.Thread(
            target=_accept, args=(listening, host.removeprefix("unix://"), way, open_sockets), daemon=True
        )
        thread.start()
        try:
            yield way
        finally:
            with contextlib.suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            for each in open_sockets:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def _accept(listening: socket.socket, host: str, way: Wire, open_sockets: list) -> None:
    with contextlib.suppress(OSError):  # it was shut: the end
        while True:
            client, _ = listening.accept()
            engine = socket.socket(socket.AF_UNIX)
            try:
                engine.connect(host)
            except OSError:
                client.close()
                engine.close()
                continue
            open_sockets += [client, engine]
            for ends in ((client, engine, "sent"), (engine, client, "received")):
                threading.Thread(target=_pass_on, args=(*ends, way), daemon=True).start()


def _pass_on(origin: socket.socket, goal: socket.socket, counter: str, way: Wire) -> None:
    with contextlib.suppress(OSError):
        while piece := origin.recv(PIECE):
            setattr(way, counter, getattr(way, counter) + len(piece))
            goal.sendall(piece)
    with contextlib.suppress(OSError):
        goal.shutdown(socket.SHUT_WR)
