"""A pager: what Alertmanager sends to it stands in a file, a line of JSON for each alert

``python -m fsdl_deploy.monitoring.pager FILE`` in a container; elsewhere with a ``with``. Knows nothing of
who sends. Standard library only.
"""

import argparse
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

MOST = 2**20  # bytes of one message


class Pager:
    """``with Pager(file) as pager:`` a receiver of Alertmanager's webhooks: a line of JSON for each alert.

    The last part of the address that a message came to is its ``receiver``: pager, tickets, heartbeat.
    ``aloud``: prints them, too.
    """

    def __init__(self, file: Path, host: str = "127.0.0.1", port: int = 0, *, aloud: bool = False):
        self.file, self.aloud, pager = Path(file), aloud, self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("content-length", 0))
                try:
                    pager.write(self.path.rpartition("/")[2], json.loads(self.rfile.read(min(length, MOST))))
                    self.send_response(200)
                except (ValueError, KeyError, TypeError, AttributeError):
                    self.send_response(400)
                self.end_headers()

            def log_message(self, *_) -> None:
                pass

        self._server = ThreadingHTTPServer((host, port), Handler)
        self._server.daemon_threads = True
        self._lock, self._thread = threading.Lock(), threading.Thread(target=self._server.serve_forever)
        self._thread.daemon = True

    def __enter__(self) -> "Pager":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def join(self) -> None:
        """Wait until it ends."""
        self._thread.join()

    def write(self, receiver: str, message: dict) -> None:
        """Add a line for each alert of one message."""
        lines = [
            {
                "time": time.time(),
                "receiver": receiver,
                "alert": alert["labels"]["alertname"],
                "status": alert["status"],
                "summary": alert["annotations"].get("summary", ""),
            }
            for alert in message["alerts"]
        ]
        with self._lock, self.file.open("a", encoding="utf-8") as file:
            for text in map(json.dumps, lines):
                file.write(text + "\n")
                if self.aloud:
                    print(text, flush=True)

    def lines(self, receiver: str | None = None) -> list[dict]:
        """What it has heard, the oldest first; of one receiver, or of all."""
        if not self.file.exists():
            return []
        lines = map(json.loads, self.file.read_text(encoding="utf-8").splitlines())
        return [line for line in lines if receiver in (None, line["receiver"])]


def main() -> None:
    """Listen until the process ends."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    args = parser.parse_args()
    with Pager(args.file, args.host, args.port, aloud=True) as pager:
        print(f"listening at {pager.url}", flush=True)
        pager.join()


if __name__ == "__main__":
    main()
