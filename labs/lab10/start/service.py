"""A service to begin with: it starts, reads good cards, and breaks most of the contract.

`fsdl-course capstone try` says what is broken, and shows the request by which it noticed. The lines
marked TODO are where to begin; CONTRACT.md has the rest.
"""

import base64
import io
import json
import os
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import onnxruntime
import PIL.Image

MODELS = Path(os.environ["MODELS"])
VERSION = (MODELS / "active").read_text(encoding="utf-8").strip()  # TODO: it changes while the service runs
SESSION = onnxruntime.InferenceSession(MODELS / f"{VERSION}.onnx")  # TODO: one core, so one thread


def read(picture: bytes) -> str:
    """The digits on a PNG."""
    image = np.asarray(PIL.Image.open(io.BytesIO(picture)).convert("L"))  # TODO: how large may it be?
    digits, _, _ = SESSION.run(None, {"pictures": image[None], "widths": np.array([image.shape[1]])})
    return "".join(str(digit) for digit in digits[0] if digit >= 0)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/readyz":
            return self.answer(200, {"version": VERSION})
        self.answer(404, {"error": {"field": "path", "problem": "TODO: cards that were answered before"}})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))  # TODO: and if it is no JSON?
        digits = read(base64.b64decode(body["picture"]))  # TODO: and if it is no picture?
        # TODO: write the card into os.environ["STATE"] first; the same id again gets the same answer
        self.answer(200, {"id": body["id"], "digits": digits, "version": VERSION})

    def answer(self, status: int, body: dict) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


# TODO: one connection after the other, so a slow sender holds up everybody. SIGTERM ends it in mid-card.
HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
