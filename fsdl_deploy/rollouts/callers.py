"""The utility's customers as callers: each sends a card, and it is noted who answered, and if rightly"""

import base64
import http.client
import itertools
import json
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass

from fsdl_deploy.picture import encode
from fsdl_deploy.rollouts.utility import Sent
from fsdl_deploy.scaling.asking import Asking
from fsdl_deploy.scaling.load_balancing import answered_by


@dataclass(frozen=True)
class Answered:
    """One answer: when it came (time.monotonic), from the replica at which port, to whom, and if rightly."""

    moment: float
    port: int
    customer: str
    right: bool


class CustomerCalls(Asking):
    """A function for the load meter: the next of these customers sends their card, over and over.

    ``answered_all``: what each got, in the order of the answers.
    """

    def __init__(self, url: str, sent: Iterable[Sent], *, keep_alive: bool = True):
        super().__init__(f"{url}/read", b"", keep_alive=keep_alive)
        self._requests = [_request(each) for each in sent]
        self._truths = {each.card.customer: each.card.truth for each in sent}
        self._next, self._turn = itertools.count(), threading.Lock()
        self.answered_all: list[Answered] = []

    def request(self) -> tuple[bytes, dict[str, str]]:
        with self._turn:
            number = next(self._next)
        body, headers = self._requests[number % len(self._requests)]
        return body, headers | {"X-Request-Id": f"{id(self):x}-{number}"}

    def answered(self, sent: dict[str, str], response: http.client.HTTPResponse, text: bytes) -> None:
        customer = sent["X-Customer"]
        port = answered_by(response.headers.get("x-upstream", ""))[0] or self.port
        try:
            digits = json.loads(text)["readings"][0]["digits"]
        except (ValueError, KeyError, TypeError, IndexError):
            digits = None
        right = digits == self._truths[customer]
        self.answered_all.append(Answered(time.monotonic(), port, customer, right))

    def of(self, port: int) -> list[Answered]:
        """The answers of the replica at this port."""
        return [each for each in self.answered_all if each.port == port]


def _request(sent: Sent) -> tuple[bytes, dict[str, str]]:
    picture = base64.b64encode(encode(sent.card.image)).decode()
    body = json.dumps({"pictures": [picture]}).encode()
    return body, {"X-Customer": sent.card.customer, "X-Camera": sent.camera}
