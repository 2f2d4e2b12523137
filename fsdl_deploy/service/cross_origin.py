"""Pages of other origins: which of them may ask this service from a browser, by the rules of CORS

A browser asks first (a preflight), and keeps an answer from the page unless the service names the page's
origin (https://fetch.spec.whatwg.org/#http-cors-protocol). Off unless origins are named: each exactly, never
all.
"""

from collections.abc import Sequence
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

SENT = ("Content-Type", "Authorization", "X-Request-Id")  # headers that a page may send
READ = ("X-Request-Id", "X-Model-Version", "Retry-After")  # headers that it may read
USUAL = {"http": 80, "https": 443}
REMEMBERED = 600  # seconds for which a browser need not ask first again


def allow(app: FastAPI, origins: Sequence[str]) -> None:
    """Let pages of these origins ask; call it last, so that every answer says so, refusals too.

    Raises ValueError for what is no origin.
    """
    if origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=[origin(text) for text in origins],
            allow_methods=("GET", "POST"),
            allow_headers=SENT,
            expose_headers=READ,
            max_age=REMEMBERED,
        )


def origin(text: str) -> str:
    """An origin as browsers write it, ``https://host`` or ``https://host:port``, from what a person typed.

    Raises ValueError for anything with more than that, and for ``*``.
    """
    plain = text.strip().removesuffix("/")
    refusal = ValueError(
        f"{text!r} is not an origin: it looks like https://app.example or http://127.0.0.1:8080"
    )
    try:
        parts = urlsplit(plain)
        port = parts.port
    except ValueError:
        raise refusal from None
    whole = f"{parts.scheme}://{parts.netloc}"
    strange = not plain.isascii() or any(character in plain for character in " \t;,'\"*\\@<>")
    if (
        parts.scheme not in USUAL
        or not parts.hostname
        or port == 0
        or strange
        or plain.lower() != whole.lower()
    ):
        raise refusal
    # A browser sends a port only where it is not the usual one, and without zeros before it.
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{name}" + (f":{port}" if port not in (None, USUAL[parts.scheme]) else "")
