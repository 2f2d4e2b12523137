"""Whether programs of this machine reach each other: servers on loopback, and proxies of the environment."""

import contextlib
import os
import socket
import threading
import urllib.request
from collections.abc import Callable, Iterator

from fsdl_course.setup.looks.finding import Finding
from fsdl_deploy import proxies

SECONDS = 10


def by_urllib(url: str) -> None:
    urllib.request.urlopen(url, timeout=SECONDS).close()


def by_httpx2(url: str) -> None:
    """As most lessons ask. Where httpx2 is not installed, ``look_at_packages`` says it."""
    try:
        import httpx2
    except ImportError:
        return
    httpx2.get(url, timeout=SECONDS).raise_for_status()


def look_at_ports(asking: tuple[Callable[[str], None], ...] = (by_urllib, by_httpx2)) -> Iterator[Finding]:
    """A server on loopback is reached by the clients that lessons use, with the environment as it is."""
    try:
        with answering() as url:
            faults = [fault for ask in asking if (fault := _fault(ask, url))]
    except OSError as error:
        advice = "allow programs to listen on 127.0.0.1 (firewall or sandbox settings)"
        yield Finding("problem", "ports", f"no server on 127.0.0.1 can be reached: {error}", advice)
        return
    if not faults:
        yield Finding("ok", "ports", "servers on 127.0.0.1 can be reached")
    elif names := sorted(name for name in os.environ if name.lower().endswith("_proxy")):
        advice = f"unset {', '.join(names)}, or set NO_PROXY=127.0.0.1,localhost"
        yield Finding("problem", "ports", f"a proxy stands before 127.0.0.1 ({faults[0]})", advice)
    else:
        advice = "allow programs to connect to 127.0.0.1 (firewall or sandbox settings)"
        yield Finding("problem", "ports", faults[0], advice)


def look_at_proxies(environ=os.environ) -> Iterator[Finding]:
    """Variables that name a proxy which no client of the course can use; nothing where none is set."""
    wrong = proxies.problems(environ)
    for sentence in wrong:
        fact, _, advice = sentence.partition("): ")
        yield Finding("note", "proxy", f"{fact})", advice)
    if not wrong and (names := proxies.named(environ)):
        yield Finding("ok", "proxy", f"{', '.join(names)}: for other machines, not for 127.0.0.1")


@contextlib.contextmanager
def answering() -> Iterator[str]:
    """The address of a server that answers every request with 204, in a thread."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)

        def answer() -> None:
            while server.fileno() >= 0:
                with contextlib.suppress(OSError):  # nobody asks yet, or any more
                    connection, _ = server.accept()
                    with connection:
                        connection.settimeout(SECONDS)
                        connection.recv(65536)
                        connection.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"


def _fault(ask: Callable[[str], None], url: str) -> str | None:
    try:
        ask(url)
    except Exception as error:  # a proxy's address that is wrong raises what it likes
        return f"{ask.__name__.removeprefix('by_')}: {error}".splitlines()[0]
    return None
