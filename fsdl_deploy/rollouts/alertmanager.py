"""Alertmanager for as long as a ``with`` lasts, and a pager for it: what it says stands in a file

Prometheus notices, Alertmanager decides who hears of it: it puts alerts together, keeps quiet about what
another alert explains, repeats what lasts. Its routes are those of ``infra/rollouts/prometheus``.
"""

import json
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from fsdl_deploy import files
from fsdl_deploy.rollouts.prometheus import FOLDER, program, quicker
from fsdl_deploy.running.own_folder import own_folder
from fsdl_deploy.running.servers import Server

MOST = 2**20  # bytes of one message
TEMPLATES = b"/usr/share/prometheus/alertmanager"  # where Debian's looks for its own texts


class Pager:
    """``with Pager(file) as pager:`` a receiver of Alertmanager's webhooks: a line of JSON for each alert.

    The last part of the address that a message came to is its ``receiver``: pager, tickets, heartbeat.
    """

    def __init__(self, file: Path):
        self.file, pager = Path(file), self

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

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
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
            file.writelines(json.dumps(line) + "\n" for line in lines)

    def lines(self, receiver: str | None = None) -> list[dict]:
        """What it has heard, the oldest first; of one receiver, or of all."""
        if not self.file.exists():
            return []
        lines = map(json.loads, self.file.read_text(encoding="utf-8").splitlines())
        return [line for line in lines if receiver in (None, line["receiver"])]


def unpacked() -> Path:
    """Alertmanager as it runs out of a package that was unpacked elsewhere; start it in that folder.

    Debian's has the path of its texts inside: this copy has it without the first slash, and one at the end.
    """
    original = program("prometheus-alertmanager")
    copy = original.with_name("alertmanager-unpacked")
    if not copy.exists():
        files.write(copy, original.read_bytes().replace(TEMPLATES, TEMPLATES[1:] + b"/"))
    copy.chmod(0o755)
    return copy


class Alertmanager:
    """``with Alertmanager(pager) as manager: Prometheus(…, alertmanager=manager.port)``.

    ``speed``: as Prometheus has it. Raises ServerError with its log if it does not start.
    """

    def __init__(self, pager: Pager, *, speed: float = 1):
        self.pager, self.speed = pager, speed
        self._folder: tempfile.TemporaryDirectory | None = None
        self._server: Server | None = None

    def __enter__(self) -> "Alertmanager":
        words = [unpacked(), "--web.listen-address=127.0.0.1:{port}"]
        words += ["--cluster.listen-address=", "--log.level=warn"]  # alone: else it listens to the network
        cwd = words[0].parents[2]
        self._folder = own_folder("alertmanager")
        try:
            file = Path(self._folder.name) / "alertmanager.yml"
            text = (FOLDER / "alertmanager.yml").read_text(encoding="utf-8")
            text = text.replace("http://pager:8080", self.pager.url)
            file.write_text(quicker(text, self.speed), encoding="utf-8")
            words += [f"--config.file={file}", f"--storage.path={file.parent / 'data'}"]
            self._server = Server(words, "/-/ready", name="Alertmanager", cwd=cwd, grace=5).start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        """End it and remove its files."""
        if self._server is not None:
            self._server.stop()
        if self._folder is not None:
            self._folder.cleanup()

    @property
    def port(self) -> int:
        return self._server.port
