"""The meter reader for month end, with Python's own library, ONNX Runtime, numpy and Pillow.

Three rules hold it together. A card is answered only after its reading stands in the journal. No more cards
wait than can be read in time. Whoever comes too late gets a refusal that names the field.
"""

import base64
import hashlib
import io
import json
import os
import re
import signal
import sqlite3
import struct
import sys
import threading
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import onnxruntime
import PIL.Image

MODELS, STATE = Path(os.environ["MODELS"]), Path(os.environ["STATE"])
CORES = len(os.sched_getaffinity(0))
MOST_BYTES, MOST_PIXELS, MOST_WAITING, MOST_CONNECTIONS = 2**20, 10**6, 32, 64
PATIENCE, GRACE = 2.0, 7.0  # seconds: in the queue; from SIGTERM to the end


class Refusal(Exception):
    """An answer other than 200: its status, the field at fault, and what to do."""

    def __init__(self, status: int, field: str, problem: str):
        super().__init__(problem)
        self.status, self.field = status, field


class Journal:
    """The cards that were accepted, each once. SQLite writes them so that a kill loses none."""

    def __init__(self, path: Path):
        self.lock = threading.Lock()
        self.table = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self.table.execute("PRAGMA journal_mode=WAL")  # a commit survives a kill, without an fsync
        self.table.execute("PRAGMA synchronous=NORMAL")
        self.table.execute("CREATE TABLE IF NOT EXISTS cards (id TEXT PRIMARY KEY, sum TEXT, answer TEXT)")

    def find(self, card: str) -> tuple[str, dict] | None:
        """The picture's sum and the answer of a card, or None."""
        with self.lock:
            row = self.table.execute("SELECT sum, answer FROM cards WHERE id = ?", [card]).fetchone()
        return (row[0], json.loads(row[1])) if row else None

    def add(self, card: str, digest: str, answer: dict) -> tuple[str, dict]:
        """Write a card, unless it is there already; what the journal then says of it."""
        with self.lock:
            row = [card, digest, json.dumps(answer)]
            self.table.execute("INSERT INTO cards VALUES (?, ?, ?) ON CONFLICT DO NOTHING", row)
        return self.find(card)


class Model:
    """The active version, and a watch for the next one. A new one is tried before it takes over."""

    def __init__(self):
        self.version, self.session = None, None
        self.turns, self.waiting = threading.Semaphore(CORES), threading.Semaphore(CORES + MOST_WAITING)
        threading.Thread(target=self.watch, daemon=True).start()

    def watch(self) -> None:
        while True:
            try:
                wanted = (MODELS / "active").read_text(encoding="utf-8").strip()
                if wanted != self.version:
                    self.load(wanted)
            except Exception as error:  # the version that reads now goes on reading
                print(f"the new version is not used: {error}", file=sys.stderr, flush=True)
            time.sleep(0.2)

    def load(self, version: str) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        session = onnxruntime.InferenceSession(MODELS / f"{version}.onnx", options, ["CPUExecutionProvider"])
        read(session, np.full((32, 96), 255, np.uint8))
        self.session = (version, session)
        self.version = version

    def read(self, image: np.ndarray) -> dict:
        if not self.waiting.acquire(blocking=False):
            raise Refusal(429, "service", "busy: try again")
        try:
            if not self.turns.acquire(timeout=PATIENCE):
                raise Refusal(503, "service", "busy: try again")
            try:
                version, session = self.session
                return {"digits": read(session, image), "version": version}
            finally:
                self.turns.release()
        finally:
            self.waiting.release()


def read(session, image: np.ndarray) -> str:
    """The digits on a picture uint8 ``[H, W]``, by the graph of ``session``."""
    digits, _, _ = session.run(None, {"pictures": image[None], "widths": np.array([image.shape[1]])})
    return "".join(str(digit) for digit in digits[0] if digit >= 0)


def decode(data: bytes) -> np.ndarray:
    """A PNG as uint8 ``[H, W]``; its header is judged before any pixel is unpacked."""
    check_sums(data)
    try:
        with PIL.Image.open(io.BytesIO(data), formats=["PNG"]) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise Refusal(422, "picture", f"more than {MOST_PIXELS:,} pixels: crop it to the card")
            return np.asarray(picture.convert("L"))
    except (OSError, SyntaxError, ValueError, PIL.Image.DecompressionBombError) as error:
        raise Refusal(422, "picture", f"not a whole PNG: {error}") from None


def check_sums(data: bytes) -> None:
    """Each part of a PNG carries the CRC of its bytes. Pillow does not look at those of the pixels."""
    at = 8
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        end = at + 8 + length
        if end + 4 > len(data):
            break
        if zlib.crc32(data[at + 4 : end]) != struct.unpack_from(">I", data, end)[0]:
            raise Refusal(422, "picture", "a checksum in the PNG is wrong: send the file again")
        if data[at + 4 : at + 8] == b"IEND":
            return
        at = end + 4
    raise Refusal(422, "picture", "not a whole PNG: send all of the file")


class Service(ThreadingHTTPServer):
    """A thread for each connection, up to a bound; on SIGTERM it finishes what it has taken."""

    daemon_threads, request_queue_size, allow_reuse_address = True, 128, True

    def __init__(self, port: int):
        self.model, self.journal = Model(), Journal(STATE / "journal.db")
        self.stopping, self.busy, self.idle = False, 0, threading.Condition()
        self.connections = threading.Semaphore(MOST_CONNECTIONS)
        super().__init__(("127.0.0.1", port), Handler)

    def process_request(self, request, client_address) -> None:
        if self.connections.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request, client_address) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.connections.release()

    def handle_error(self, request, client_address) -> None:
        """A client that has left is no news."""

    def stop(self, *_) -> None:
        self.stopping = True
        threading.Thread(target=self.finish).start()

    def finish(self) -> None:
        time.sleep(0.3)  # who is on the way gets an answer, too: a 503 that says come again
        with self.idle:
            self.idle.wait_for(lambda: self.busy == 0, GRACE)
        self.shutdown()


class Handler(BaseHTTPRequestHandler):
    """The routes: a card in, a card looked up, and whether to send more."""

    protocol_version, timeout, server_version = "HTTP/1.1", 10, "meter-reader"
    wbufsize = -1  # head and body of an answer leave together
    disable_nagle_algorithm = True

    def log_message(self, *_) -> None:
        """One line a request would fill the disk at month end."""

    def do_GET(self) -> None:
        self.answer(self.look)

    def do_POST(self) -> None:
        with self.server.idle:
            self.server.busy += 1
        try:
            self.answer(self.accept)
        finally:
            with self.server.idle:
                self.server.busy -= 1
                self.server.idle.notify_all()

    def answer(self, route) -> None:
        try:
            status, body = route()
        except Refusal as refusal:
            status, body = refusal.status, {"error": {"field": refusal.field, "problem": str(refusal)}}
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if status in (429, 503):
            self.send_header("Retry-After", "1")
        if status >= 400 or self.server.stopping:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    def look(self) -> tuple[int, dict]:
        if self.path == "/readyz":
            if self.server.model.session is None or self.server.stopping:
                raise Refusal(503, "service", "no model is loaded yet, or the service is stopping")
            return 200, {"version": self.server.model.version}
        if self.path.startswith("/v1/cards/") and (found := self.server.journal.find(self.path[10:])):
            return 200, found[1]
        raise Refusal(404, "path", "there is no such card, or no such route")

    def accept(self) -> tuple[int, dict]:
        if self.path != "/v1/cards":
            raise Refusal(404, "path", "cards go to /v1/cards")
        card, picture = self.fields()
        digest = hashlib.sha256(picture).hexdigest()
        found = self.server.journal.find(card)
        if found is None:
            if self.server.stopping or self.server.model.session is None:
                raise Refusal(503, "service", "stopping, or not ready yet: try again")
            answer = {"id": card, **self.server.model.read(decode(picture))}
            found = self.server.journal.add(card, digest, answer)  # first the journal, then the answer
        if found[0] != digest:
            raise Refusal(409, "id", "another picture came under this id")
        return 200, found[1]

    def fields(self) -> tuple[str, bytes]:
        """The card's id and the bytes of its picture, or Refusal."""
        try:
            body = json.loads(self.body())
        except (ValueError, RecursionError):
            raise Refusal(400, "body", "not JSON") from None
        if not isinstance(body, dict):
            raise Refusal(422, "body", "send an object with id and picture")
        card, picture = body.get("id"), body.get("picture")
        if not (isinstance(card, str) and re.fullmatch("[A-Za-z0-9-]{1,64}", card)):
            raise Refusal(422, "id", "send 1 to 64 letters, digits and -")
        if not isinstance(picture, str):
            raise Refusal(422, "picture", "send a PNG in base64")
        try:
            return card, base64.b64decode(picture, validate=True)
        except ValueError:
            raise Refusal(422, "picture", "not base64") from None

    def body(self) -> bytes:
        try:
            length = int(self.headers.get("Content-Length", ""))
        except ValueError:
            raise Refusal(411, "body", "say in Content-Length how long it is") from None
        if not 0 <= length <= MOST_BYTES:
            raise Refusal(413, "body", f"at most {MOST_BYTES:,} bytes")
        return self.rfile.read(length)


def main() -> None:
    service = Service(int(os.environ["PORT"]))
    signal.signal(signal.SIGTERM, service.stop)
    service.serve_forever(poll_interval=0.1)


if __name__ == "__main__":
    main()
