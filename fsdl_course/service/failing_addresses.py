"""Addresses that fail a client of the service in three ways, and what `RemoteReader` says of each"""

import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

from fsdl_deploy.picture import Image
from fsdl_deploy.remote import RemoteError, RemoteReader
from fsdl_deploy.running.servers import Server

HOST = "127.0.0.1"


@contextmanager
def failing_addresses() -> Iterator[dict[str, str]]:
    """URLs by what is wrong at each: nobody listens, nobody answers, another program answers."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server((HOST, 0)) as silent:
        with socket.create_server((HOST, 0)) as closed:
            nobody = closed.getsockname()[1]
        files = [sys.executable, "-m", "http.server", "{port}", "--bind", HOST]
        with Server(files, "/", cwd=folder) as stranger:
            yield {
                "nobody listens": f"http://{HOST}:{nobody}",
                "nobody answers": f"http://{HOST}:{silent.getsockname()[1]}",
                "somebody else answers": stranger.url,
            }


def failure(url: str, image: Image, timeout: float) -> tuple[str, str]:
    """After how long a reading through ``url`` fails, and the sentence, without the address.

    Raises RuntimeError where it does not fail.
    """
    start = time.perf_counter()
    try:
        with RemoteReader(url, timeout=timeout) as reader:
            reader.read([image])
    except RemoteError as error:
        return f"{time.perf_counter() - start:.1f} s", str(error).replace(url, "URL")
    raise RuntimeError(f"{url} gave a reading: it is the address of a service")
