"""One request over HTTP/1.1 with a deadline: it ends, in bounded memory, whatever the other side does."""

import http.client
import io
import json
import socket
import time
from dataclasses import dataclass, field

MOST_ANSWER = 1 << 16


@dataclass(frozen=True)
class ServiceAnswer:
    """``status`` 0: none came, ``problem`` says why. ``fields``: the body if it is a JSON object.

    ``retry_after``: seconds, None where the answer does not say.
    """

    status: int
    fields: dict = field(default_factory=dict)
    retry_after: float | None = None
    problem: str = ""


class _Bytes:
    def __init__(self, data: bytes):
        self.data = data

    def makefile(self, *_):
        return io.BytesIO(self.data)


def ask(
    port: int, method: str, path: str, body: bytes = b"", seconds: float = 10, client: str = "plain"
) -> ServiceAnswer:
    """Send one request, read the whole answer within ``seconds``. Raises nothing: see ``problem``."""
    deadline = time.monotonic() + seconds
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    ).encode()
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
            _send(connection, head + body, deadline, client)
            return parsed(_receive(connection, deadline, client), method)
    except TimeoutError:
        return ServiceAnswer(0, problem="no answer in time")
    except Exception as error:  # what a stranger sends can break any parser: it is no answer then
        return ServiceAnswer(0, problem=f"{type(error).__name__}: {error}"[:200])


def _send(connection: socket.socket, data: bytes, deadline: float, client: str) -> None:
    try:
        if client == "slow sender":  # twenty pieces in a second and a half
            step = max(1, len(data) // 20)
            for start in range(0, len(data), step):
                connection.settimeout(max(0.01, deadline - time.monotonic()))
                connection.sendall(data[start : start + step])
                time.sleep(0.075)
        else:
            connection.settimeout(max(0.01, deadline - time.monotonic()))
            connection.sendall(data)
    except (BrokenPipeError, ConnectionResetError):
        pass  # it has answered before it read all: the answer may still be there


def _receive(connection: socket.socket, deadline: float, client: str) -> bytes:
    data = b""
    if client == "slow reader":
        time.sleep(1.5)
    while len(data) < MOST_ANSWER and not _whole(data):
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        piece = connection.recv(16 if client == "slow reader" else 1 << 14)
        if not piece:
            break
        data += piece
    return data


def _whole(data: bytes) -> bool:
    head, end, rest = data.partition(b"\r\n\r\n")
    if not end:
        return False
    lowered = head.lower()
    if b"transfer-encoding: chunked" in lowered:
        return rest.endswith(b"0\r\n\r\n")
    for line in lowered.split(b"\r\n"):
        if line.startswith(b"content-length:") and line[15:].strip().isdigit():
            return len(rest) >= int(line[15:])
    return False


def parsed(data: bytes, method: str = "POST") -> ServiceAnswer:
    """The answer in bytes that came. Raises HTTPException or ValueError where they are none."""
    response = http.client.HTTPResponse(_Bytes(data), method=method)
    response.begin()
    body = response.read(MOST_ANSWER)
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        fields = {}
    after = response.headers.get("Retry-After", "")
    return ServiceAnswer(
        response.status,
        fields if isinstance(fields, dict) else {},
        float(after) if after.isdigit() and len(after) < 4 else None,
    )


def short(fields: dict) -> dict:
    """The fields that are judged, as short texts: an answer cannot fill the history."""
    judged = {key: fields[key] for key in ("id", "digits", "version") if key in fields}
    error = fields.get("error")
    if isinstance(error, dict):
        judged["field"] = error.get("field")
    return {
        key: value[:100] if isinstance(value, str) else f"({type(value).__name__})"
        for key, value in judged.items()
    }
