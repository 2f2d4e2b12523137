"""Visitors of the prototype's page: one asks for a reading as a browser does, one sees when the page is away

They speak HTTP only, so that a measurement is of the page and not of a client library.
"""

import json
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

import httpx2
import psutil

PAUSE = 0.05  # seconds between two looks at a page


class Away(NamedTuple):
    """How often a page was refused, and the seconds from the first refusal to the last."""

    refused: int
    seconds: float


class Footprint(NamedTuple):
    """What there is to keep alive: processes, and addresses at which they listen."""

    processes: int
    addresses: int


class Visitor:
    """Asks the page at ``url`` for readings: upload, question, answer, as Gradio's own page does it."""

    def __init__(self, url: str, picture: bytes):
        self.url, self.door, self.picture = url, url + "/gradio_api", picture
        self.client = httpx2.Client(timeout=60)

    def ask(self) -> dict:
        """One reading as the page's API gives it. Raises httpx2.HTTPError if the page does not answer."""
        upload = self.client.post(self.door + "/upload", files={"files": ("card.png", self.picture)})
        picture = {"path": upload.raise_for_status().json()[0], "meta": {"_type": "gradio.FileData"}}
        event = self.client.post(self.door + "/call/read", json={"data": [picture]}).raise_for_status()
        events = self.client.get(f"{self.door}/call/read/{event.json()['event_id']}").text
        return json.loads(events.partition("data: ")[2])[0]

    def look(self) -> None:
        """Open the plain page, as somebody does who asks for no reading."""
        self.client.get(self.url).raise_for_status()

    def close(self) -> None:
        """Close the connections."""
        self.client.close()


def away_while(url: str, work: Callable[[], object]) -> Away:
    """Look at a page again and again while ``work`` runs: for how long did it not answer?"""
    refusals: list[float] = []
    over = threading.Event()

    def look() -> None:
        with httpx2.Client(timeout=5) as client:
            while not over.wait(PAUSE):
                try:
                    client.get(url).raise_for_status()
                except httpx2.HTTPError:
                    refusals.append(time.perf_counter())

    looking = threading.Thread(target=look)
    looking.start()
    try:
        work()
    finally:
        over.set()
        looking.join()
    return Away(len(refusals), refusals[-1] - refusals[0] if refusals else 0.0)


def footprint(*pids: int) -> Footprint:
    """What these processes and their children are: how many, and at how many addresses they listen."""
    family = [psutil.Process(pid) for pid in pids]
    family += [child for process in family for child in process.children(recursive=True)]
    listening = {
        connection.laddr
        for process in family
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    return Footprint(len(family), len(listening))
