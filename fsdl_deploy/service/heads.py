"""The head of a request, judged before it is served: what two servers in a row could read differently

Knows methods, targets and header fields as bytes, whoever parsed them. Knows nothing about connections.

Source: RFC 9112, sections 3.2 (target and Host) and 6.1 (Transfer-Encoding).
"""

import json
import re
from collections.abc import Sequence
from http import HTTPStatus

from fsdl_deploy.service.refusal import Refusal, error_body

Fields = Sequence[tuple[bytes, bytes]]

MAX_FIELDS = 128
"""Header fields of one request: each costs a search whenever a header is asked for."""
MAX_TARGET = 2**13
"""Bytes of a request's target; RFC 9112 asks for at least 8,000."""
HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~%!$&'()*+,;=-]*)(:[0-9]*)?")
ABSOLUTE = re.compile(rb"https?://[^/?#]*", re.IGNORECASE)
HOP = (b"upgrade", b"http2-settings")


def check(method: bytes, target: bytes, version: str, fields: Fields) -> None:
    """Raise Refusal for a head that is ambiguous, too long, or asks for what no server here does.

    ``version`` is such as "1.1"; names in ``fields`` are in small letters, values without outer spaces.
    """
    if version not in ("1.0", "1.1"):
        raise Refusal(505, "version", f"HTTP/{version} is not spoken here: use HTTP/1.1")
    if method == b"CONNECT":
        raise Refusal(405, "method", "this is no proxy: it opens no tunnels", {"Allow": "GET, HEAD, POST"})
    if len(target) > MAX_TARGET:
        raise Refusal(414, "path", f"the address has more than {MAX_TARGET:,} bytes: send data in the body")
    if len(fields) > MAX_FIELDS:
        raise too_many_fields()
    hosts = [value for name, value in fields if name == b"host"]
    if len(hosts) > 1 or (version == "1.1" and not hosts):
        raise Refusal(400, "Host", f"{len(hosts)} of them: a request has exactly one")
    if hosts and not HOST.fullmatch(hosts[0]):
        raise Refusal(400, "Host", "it is not the name of a host with an optional port")
    codings = [value.strip().lower() for name, value in fields if name == b"transfer-encoding"]
    if not codings:
        return
    if version == "1.0" or any(name == b"content-length" for name, _ in fields):
        with_what = "HTTP/1.0" if version == "1.0" else "Content-Length"
        raise Refusal(400, "Transfer-Encoding", f"it cannot come with {with_what}: send one of the two")
    if codings != [b"chunked"]:
        problem = "only chunked is understood, and once: compress with Content-Encoding"
        raise Refusal(501, "Transfer-Encoding", problem)


def too_many_fields() -> Refusal:
    return Refusal(431, "headers", f"more than {MAX_FIELDS} of them: send fewer")


def path_of(target: bytes) -> bytes:
    """The target from the path on: a proxy gets the whole address (RFC 9112, 3.2.2), ``OPTIONS *`` has none.

    A fragment is the client's own matter, and dropped.
    """
    target = target.partition(b"#")[0]
    if target.startswith(b"/"):
        return target
    rest = ABSOLUTE.sub(b"", target, count=1)
    return rest if rest.startswith(b"/") else b"/" + rest.removeprefix(b"*")


def without_upgrade(fields: Fields) -> list[tuple[bytes, bytes]]:
    """The fields without an offer to go on in another protocol, which a server is free to ignore."""
    kept = []
    for name, value in fields:
        if name == b"connection":
            tokens = (token.strip() for token in value.split(b","))
            value = b", ".join(token for token in tokens if token.lower() not in HOP)
        if name not in HOP and (value or name != b"connection"):
            kept.append((name, value))
    return kept


def answer(refusal: Refusal) -> bytes:
    """A refusal as the bytes of an answer, the last of its connection, where no route is known yet."""
    body = json.dumps(error_body("", refusal)).encode()
    fields = {
        "content-type": "application/json",
        "content-length": len(body),
        **{name.lower(): value for name, value in (refusal.headers or {}).items()},
        "connection": "close",
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    head = f"HTTP/1.1 {refusal.status} {HTTPStatus(refusal.status).phrase}\r\n{lines}\r\n"
    return head.encode() + body
