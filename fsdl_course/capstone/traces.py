"""Traces of customers' pictures: pieces of them, and where these stand in a service's files or in its log."""

import base64
import contextlib
import json
import os
from pathlib import Path

from fsdl_course.capstone.generator import CARD, Request
from fsdl_deploy.picture import decode

EVERY = 5  # of so many cards one is looked for
LONG = 30  # bytes of a piece
MOST = 64 << 20  # bytes of a file that are looked at


def marks(requests: list[Request]) -> list[bytes]:
    """Pieces of every fifth card: of the PNG as bytes, in base64 and in hex, and of its pixels as bytes."""
    pieces = []
    for request in [request for request in requests if request.kind == CARD][::EVERY]:
        text = json.loads(request.body)["picture"]
        middle = len(text) // 2 // 4 * 4
        piece = base64.b64decode(text[middle : middle + LONG * 4 // 3])
        pixels = decode(base64.b64decode(text)).tobytes()
        row = pixels[len(pixels) // 2 :][:LONG]
        pieces += [text[middle : middle + LONG * 4 // 3].encode(), piece, piece.hex().encode(), row]
    return [piece for piece in pieces if len(set(piece)) > LONG // 4]  # white paper says nothing


def kept(state: Path, log: bytes, pieces: list[bytes]) -> list[str]:
    """Names of files below ``state``, and "the log", that hold a piece. Call it when the service has ended.

    Links are not followed, and of what cannot be read nothing is said.
    """
    names = ["the log"] if any(piece in log for piece in pieces) else []
    for folder, _, files in os.walk(state):
        for name in sorted(files):
            path = Path(folder, name)
            with contextlib.suppress(OSError):
                if path.is_file() and not path.is_symlink():
                    with path.open("rb") as file:
                        data = file.read(MOST)
                    if any(piece in data for piece in pieces):
                        names.append(name.encode("utf-8", "backslashreplace").decode()[:80])
    return names
