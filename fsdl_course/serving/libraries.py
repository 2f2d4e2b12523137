"""Serving libraries: the same reader behind each of them, started and asked in one way.

A station with a table ``[serve]`` in its ``station.toml`` holds a serving library. Its ``serve.py`` starts
the server in the foreground:

    python serve.py --port PORT --max-batch 16 --delay-ms 2

with one reader, batches of at most ``--max-batch`` pictures, and a wait of at most ``--delay-ms`` for a
batch to fill (1 and 0: no batching). *One reader* is one call of the model at a time, which computes on one
thread; what stands before it (HTTP, queue, in some servers the decoding) may run beside it. Those in
``SEVERAL`` take more readers. A request carries one picture as a PNG file, since that is what a client has.
``course`` is our own service. Knows how each is asked, and nothing of how it works.
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fsdl_deploy.measuring.table import Table
from fsdl_deploy.paths import ROOT
from fsdl_deploy.running import stations
from fsdl_deploy.running.course_servers import course_server
from fsdl_deploy.running.servers import Server

FORMATS = ("raw", "form", "oip", "oip-binary", "oip-rows")
OURS = "course"
SEVERAL = (OURS, "triton")  # whose servers are started here with more than one reader too


@dataclass(frozen=True)
class Library:
    """How a library's server is asked.

    ``ready``: the path that answers 200 once the model is loaded. ``path``: where requests are posted.
    ``format``: what is posted: "raw", the picture itself; "form", a multipart form with the field
    ``picture``; "oip" and "oip-binary", the Open Inference Protocol with one BYTES tensor ``pictures``, as
    JSON with base64 or as bytes behind the JSON; "oip-rows", as those bytes with the shape [1, 1], since a
    model of Triton that makes batches counts them in the first dimension. The first two answer
    ``{"digits": …, "confidence": …}``, or a list with this one element; the others have the outputs
    ``digits`` and ``confidence``.
    """

    name: str
    title: str
    ready: str
    path: str
    format: str

    def possible(self, say: Callable[[str], None] = print) -> bool:
        """Whether this machine has what the server needs beside its station; else a sentence."""
        lack = None if self.name == OURS else stations.station(self.name).lacks()
        if lack:
            say(lack)
        return not lack

    def server(self, max_batch: int = 16, delay_ms: float = 2.0, readers: int = 1) -> Server:
        """Its server, not started. StationError when it cannot start here, or not with so many readers."""
        if readers > 1 and self.name not in SEVERAL:
            raise stations.StationError(
                f"it is started here with one reader only, unlike {', '.join(SEVERAL)}"
            )
        options = ["--max-batch", str(max_batch), "--delay-ms", str(delay_ms)]
        settings = {"timeout": 180, "grace": 15, "name": self.title}
        if self.name == OURS:
            return course_server("serve", "--threads", str(readers), *options, **settings)
        station = stations.station(self.name)
        if lack := station.lacks():
            raise stations.StationError(lack)
        command = [stations.python(self.name), station.folder / "serve.py", "--port", "{port}"]
        command += ["--readers", str(readers)] if self.name in SEVERAL else []
        return Server([*command, *options], ready=self.ready, **settings)

    def request(self, picture: bytes) -> tuple[bytes, dict[str, str]]:
        """Body and headers that ask for one encoded picture."""
        if self.format == "raw":
            return picture, {"Content-Type": "image/png"}
        if self.format == "form":
            head = b'--card\r\nContent-Disposition: form-data; name="picture"; filename="card.png"\r\n'
            body = head + b"Content-Type: image/png\r\n\r\n" + picture + b"\r\n--card--\r\n"
            return body, {"Content-Type": "multipart/form-data; boundary=card"}
        shape = [1, 1] if self.format == "oip-rows" else [1]
        tensor = {"name": "pictures", "datatype": "BYTES", "shape": shape}
        if self.format == "oip":
            tensor["data"] = [base64.b64encode(picture).decode()]
            return json.dumps({"inputs": [tensor]}).encode(), {"Content-Type": "application/json"}
        data = len(picture).to_bytes(4, "little") + picture
        tensor["parameters"] = {"binary_data_size": len(data)}
        text = json.dumps({"inputs": [tensor]}).encode()
        headers = {"Content-Type": "application/octet-stream"}
        return text + data, headers | {"Inference-Header-Content-Length": str(len(text))}

    def digits(self, answer: bytes) -> str:
        """The digits that an answer holds. Raises ValueError or KeyError when it holds none."""
        return self.reading(answer)[0]

    def reading(self, answer: bytes) -> tuple[str, float]:
        """The digits and the confidence that an answer holds, ValueError or KeyError when it holds none."""
        document = json.loads(answer)
        if self.format not in ("raw", "form"):
            document = {output["name"]: output["data"][0] for output in document["outputs"]}
        elif isinstance(document, list):  # a server of batches answers with as many readings as pictures came
            (document,) = document
        return document["digits"], document["confidence"]


def libraries(root: Path = ROOT) -> dict[str, Library]:
    """Every serving library by its name, our own service first."""
    known = {OURS: Library(OURS, "our service", "/readyz", "/v2/models/meter-reader/infer", "oip-binary")}
    for name, station in stations.stations(root).items():
        if station.serve:
            known[name] = Library(name, **station.serve)
            if known[name].format not in FORMATS:
                raise stations.StationError(f"station {name}: format must be one of {', '.join(FORMATS)}")
    return known


def table(known: Mapping[str, Library]) -> Table:
    """Each server of ``known``, and how it is asked."""
    rows = [[library.title, library.format, library.path] for library in known.values()]
    return Table(["server", "format", "path"], *rows)
