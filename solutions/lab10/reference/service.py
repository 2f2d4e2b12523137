"""The reference: the course's own service, with what the contract adds: a journal, and new versions.

``create_app`` brings what is hard to get right: bounded bodies, slow senders, a queue that says no,
readiness, refusals that name the field. ``Draining`` brings the end in order.
"""

import base64
import hashlib
import io
import json
import os
import re
import signal
import sqlite3
import sys
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import PIL.Image
import uvicorn
from fastapi import Request

from fsdl_deploy import picture
from fsdl_deploy.reader import read_batches
from fsdl_deploy.reading import Reading
from fsdl_deploy.service import allocator
from fsdl_deploy.service.app import create_app
from fsdl_deploy.service.process import Draining, http_protocol, listen
from fsdl_deploy.service.refusal import AGAIN, Refusal

MODELS, STATE = Path(os.environ["MODELS"]), Path(os.environ["STATE"])
MOST_PIXELS, MOST_BYTES, MOST_WAITING = 10**6, 2**20, 32
DRAIN, GRACE = 0.3, 7.0  # seconds from SIGTERM to the last new card, and from there to the end


class ChangingReader:
    """Reads with the version that ``MODELS/active`` names; a new one reads a blank card first."""

    def __init__(self):
        self.model_version = ""
        self.change()
        threading.Thread(target=self.watch, daemon=True).start()

    def read(self, images) -> list[Reading]:
        version, session = self.active
        return read_batches(images, partial(run, session), version)

    def watch(self) -> None:
        refused = ""
        while True:
            time.sleep(0.3)
            try:
                self.change()
            except Exception as error:  # whatever a broken file leads to, the version that reads goes on
                if refused != str(error):
                    print(f"the new version is not used: {error}", file=sys.stderr, flush=True)
                refused = str(error)

    def change(self) -> None:
        import onnxruntime

        version = (MODELS / "active").read_text(encoding="utf-8").strip()
        if version == self.model_version:
            return
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        graph = (MODELS / f"{version}.onnx").read_bytes()
        session = onnxruntime.InferenceSession(graph, options, ["CPUExecutionProvider"])
        read_batches([np.full((32, 96), 255, np.uint8)], partial(run, session), version)
        self.active, self.model_version = (version, session), version


def run(session, pictures, widths):
    return session.run(None, {"pictures": pictures, "widths": widths})


class Journal:
    """The accepted cards, each once: of a picture only its sum. SQLite loses none when it is killed."""

    def __init__(self, path: Path):
        self.lock = threading.Lock()
        self.table = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self.table.execute("PRAGMA journal_mode=WAL")  # a commit survives a kill, without an fsync
        self.table.execute("PRAGMA synchronous=NORMAL")
        self.table.execute("CREATE TABLE IF NOT EXISTS cards (id TEXT PRIMARY KEY, sum TEXT, answer TEXT)")

    def find(self, card: str) -> tuple[str, dict] | None:
        with self.lock:
            row = self.table.execute("SELECT sum, answer FROM cards WHERE id = ?", [card]).fetchone()
        return (row[0], json.loads(row[1])) if row else None

    def add(self, card: str, digest: str, answer: dict) -> tuple[str, dict]:
        with self.lock:
            row = [card, digest, json.dumps(answer)]
            self.table.execute("INSERT INTO cards VALUES (?, ?, ?) ON CONFLICT DO NOTHING", row)
        return self.find(card)


def fields(body: bytes) -> tuple[str, bytes]:
    """A card's id and the bytes of its picture. Raises Refusal."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise Refusal(400, "body", "not JSON") from None
    if not isinstance(content, dict):
        raise Refusal(422, "body", "send an object with id and picture")
    card, data = content.get("id"), content.get("picture")
    if not (isinstance(card, str) and re.fullmatch("[A-Za-z0-9-]{1,64}", card)):
        raise Refusal(422, "id", "send 1 to 64 letters, digits and -")
    try:
        return card, base64.b64decode(data, validate=True)
    except (TypeError, ValueError):
        raise Refusal(422, "picture", "send a PNG in base64") from None


def decode(data: bytes) -> list[picture.Image]:
    """The picture as the reader wants it, if it is a whole PNG. Raises Refusal."""
    try:
        with PIL.Image.open(io.BytesIO(data), formats=["PNG"]) as png:
            if png.width * png.height > MOST_PIXELS:
                raise ValueError(f"more than {MOST_PIXELS:,} pixels: crop it to the card")
            png.verify()  # the checksums, which decoding alone does not look at
        return [picture.decode(data)]
    except (OSError, SyntaxError, ValueError, PIL.Image.DecompressionBombError) as error:
        raise Refusal(422, "picture", f"not a whole PNG: {error}") from None


def asked(question):
    """What ``question`` gives: the model's reader. Its Refusal, a 503, says when to come again."""
    try:
        return question()
    except Refusal as refusal:
        raise Refusal(refusal.status, refusal.field, refusal.problem, AGAIN) from None


def main() -> None:
    allocator.keep_little()
    settings = {"max_bytes": MOST_BYTES, "body_seconds": 15.0, "max_waiting": MOST_WAITING, "patience": 2.0}
    app = create_app(lambda: ChangingReader(), threads=1, **settings)
    journal, model = Journal(STATE / "journal.db"), app.state.model

    @app.post("/v1/cards")
    async def accept(request: Request) -> dict:
        asked(model.loaded)  # until then not even a refusal can be final
        card, data = fields(await request.body())
        digest = hashlib.sha256(data).hexdigest()
        known = journal.find(card)
        while known is None:
            version = asked(model.ready).model_version
            answer = await model.read(partial(decode, data), request.receive)
            if version == answer.model_version == model.reader.model_version:  # no change in the middle
                entry = {"id": card, "digits": answer.readings[0].digits, "version": version}
                known = journal.add(card, digest, entry)  # first the journal, then the answer
        if known[0] != digest:
            raise Refusal(409, "id", "another picture came under this id")
        return known[1]

    @app.get("/v1/cards/{card}")
    async def look(card: str) -> dict:
        asked(model.loaded)
        if known := journal.find(card):
            return known[1]
        raise Refusal(404, "id", "no such card was answered")

    config = uvicorn.Config(
        app,
        http=http_protocol(),
        ws="none",
        log_level="warning",
        timeout_keep_alive=10,
        timeout_graceful_shutdown=GRACE,
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # uvicorn raises it once more when all is finished
    Draining(config, model, DRAIN).run(sockets=[listen("127.0.0.1", int(os.environ["PORT"]))])


if __name__ == "__main__":
    main()
