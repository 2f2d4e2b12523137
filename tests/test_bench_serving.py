"""The comparison of serving libraries: our own service through it, and servers that must not pass."""

import sys

import pytest

from fsdl_deploy import bench_serving, libraries
from fsdl_deploy.bench_serving import Row, compare
from fsdl_deploy.libraries import Library
from fsdl_deploy.servers import Server

WRONG = """
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
class Wrong(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b'{"digits": "none", "confidence": 1.0}'
        self.send_response(int(sys.argv[2]))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
HTTPServer(("127.0.0.1", int(sys.argv[1])), Wrong).serve_forever()
"""


class Wrong(Library):
    def server(self, max_batch=16, delay_ms=2.0):
        status = "200" if self.name == "wrong" else "503"
        return Server([sys.executable, "-c", WRONG, "{port}", status], ready="/", name=self.title)


def test_our_service_through_every_load():
    rows = compare(["course"], rounds=1, requests=20, users=(1, 4), rates=(0.5,))
    assert [row.load for row in rows] == ["closed, 1", "closed, 4", "open, 50%"]
    assert all(row.errors == 0 and row.per_second > 0 and row.p50 <= row.p99 for row in rows)
    assert all(row.cpu_ms > 0 and row.memory > 20 and row.start_seconds > 0 for row in rows)


@pytest.mark.parametrize("name", ["wrong", "refusing"])
def test_wrong_digits_and_refusals_are_errors(name, monkeypatch):
    known = {name: Wrong(name, name, "/", "/", "raw")}
    monkeypatch.setattr(bench_serving, "libraries", lambda: known)
    (row,) = compare([name], rounds=1, requests=8, users=(2,), rates=())
    assert row.errors == 8


def test_a_library_that_is_not_built_is_named_and_skipped(monkeypatch):
    monkeypatch.setattr(
        bench_serving, "libraries", lambda: {"no": Library("no", "None such", "/", "/", "raw")}
    )
    said = []
    assert compare(["no"], rounds=1, say=said.append) == []
    assert said[0].startswith("None such: skipped, ")


def test_the_table_has_the_fastest_of_a_load_first():
    rows = [Row(name, "closed, 1", rate, 1, 2, 0, 3, 4, 5) for name, rate in (("slow", 5), ("fast", 50))]
    lines = bench_serving.table(rows).splitlines()
    assert "fast" in lines[1] and "slow" in lines[2]


@pytest.mark.parametrize("format", libraries.FORMATS)
def test_what_is_asked_and_answered_in_each_format(format):
    one = Library("x", "X", "/", "/", format)
    body, headers = one.request(b"PNG")
    assert (b"PNG" in body or b"UE5H" in body) and "Content-Type" in headers
    plain = b'{"digits": "42", "confidence": 0.5}'
    tensors = b'{"outputs": [{"name": "confidence", "data": [0.5]}, {"name": "digits", "data": ["42"]}]}'
    assert one.reading(plain if format in ("raw", "form") else tensors) == ("42", 0.5)
