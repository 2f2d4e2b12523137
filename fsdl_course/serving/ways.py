"""A way to have a card read: a context that starts a server and gives a function for each of its formats."""

import base64
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import httpx2

from fsdl_deploy.picture import Image, encode
from fsdl_deploy.running.servers import Server

DigitsAndConfidence = tuple[str, float]
Ask = Callable[[Image], DigitsAndConfidence]
Way = Callable[[], AbstractContextManager[dict[str, Ask]]]
AskOver = Callable[[httpx2.Client, Image], DigitsAndConfidence]


def base64_of(image: Image) -> str:
    """The image as a file in base64."""
    return base64.b64encode(encode(image)).decode()


def digits_and_confidence(reading: dict) -> DigitsAndConfidence:
    """What is compared of a reading in a server's JSON."""
    return reading["digits"], reading["confidence"]


def posting(path: str, body: Callable[[Image], dict], place: Callable[[dict], dict] | None = None) -> AskOver:
    """Ask by a POST: ``body`` makes httpx2's arguments; ``place`` finds the reading in the answer,
    where the answer is not the reading itself.
    """

    def ask(web: httpx2.Client, image: Image) -> DigitsAndConfidence:
        document = web.post(path, **body(image)).raise_for_status().json()
        return digits_and_confidence(place(document) if place else document)

    return ask


def way_of(name: str, server_in: Callable[[Path], Server], ask: AskOver) -> Way:
    """The way of one server: ``server_in(folder)`` makes it, ``folder`` is scratch space."""

    @contextmanager
    def way() -> Iterator[dict[str, Ask]]:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            server = stack.enter_context(server_in(folder))
            web = stack.enter_context(httpx2.Client(base_url=server.url, trust_env=False, timeout=30))
            yield {name: lambda image: ask(web, image)}

    return way
