"""Hostile requests: what a service on a network is sent by mistake or on purpose, and how it refuses each"""

import base64
import io
import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import httpx2

JSON, TEXT = "application/json", "text/plain"


class RefusedRequest(NamedTuple):
    """What was sent, and the answer: status, field at fault, the first 62 characters of the problem."""

    sent: str
    status: int
    field: str
    problem: str


def picture_bomb(side: int) -> bytes:
    """A PNG of ``side`` × ``side`` black pixels: few bytes that unpack to very many."""
    import PIL.Image

    png = io.BytesIO()
    PIL.Image.new("1", (side, side)).save(png, "PNG")
    return png.getvalue()


def requests(picture: bytes, bomb: bytes) -> dict[str, tuple]:
    """By name: the content type, and the body as bytes or piece by piece. ``picture``: a good PNG."""
    return {
        "not a picture": (JSON, as_json(b"%PDF-1.7")),
        "0 bytes": (JSON, as_json(b"")),
        "half a picture": (JSON, as_json(picture[:-200])),
        "decompression bomb": (JSON, as_json(bomb)),
        "100 MB": (JSON, hundred_megabytes()),
        "10,000 pictures": (JSON, json.dumps({"pictures": ["eA=="] * 10_000}).encode()),
        "no JSON": (JSON, b"pictures=card.png"),
        "half JSON": (JSON, b'{"pictures": ["'),
        "a bottomless list": (JSON, b"[" * 100_000),
        "a misspelt field": (JSON, b'{"picture": []}'),
        "an empty list": (JSON, b'{"pictures": []}'),
        "no base64": (JSON, b'{"pictures": ["%%%"]}'),
        "plain text": (TEXT, b"04213"),
    }


def as_json(picture: bytes) -> bytes:
    """A request for the reading of one picture, whatever its bytes are."""
    return json.dumps({"pictures": [base64.b64encode(picture).decode()]}).encode()


def hundred_megabytes() -> Iterator[bytes]:
    """Zeros in a hundred pieces, so that no header says how many there will be."""
    yield from (bytes(2**20) for _ in range(100))


def refusals(client: httpx2.Client, address: str, hostile: Mapping[str, tuple]) -> list[RefusedRequest]:
    """Send each to ``address``. Raises KeyError for an answer that is no refusal in the service's form."""
    answers = []
    for name, (content_type, content) in hostile.items():
        answer = client.post(address, content=content, headers={"content-type": content_type})
        error = answer.json()["error"]
        answers.append(RefusedRequest(name, answer.status_code, error["field"], error["problem"][:62]))
    return answers
