"""The comparison of serving libraries: our own service through it, and servers that must not pass."""

import sys

import pytest

from fsdl_course import cli
from fsdl_course.serving import compare, libraries, loads, pairs, web
from fsdl_course.serving.compare import ServingRow
from fsdl_course.serving.libraries import Library
from fsdl_course.setup.stations import ensure
from fsdl_deploy.measuring.load import open_loop
from fsdl_deploy.running import stations
from fsdl_deploy.running.servers import Server

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
    def server(self, max_batch=16, delay_ms=2.0, readers=1):
        status = "200" if self.name == "wrong" else "503"
        return Server([sys.executable, "-c", WRONG, "{port}", status], ready="/", name=self.title)


def test_our_service_through_every_load():
    rows = compare.compare(["course"], rounds=1, requests=20, users=(1, 4), rates=(0.5, 1.2), alike=())
    assert [row.load for row in rows] == ["closed, 1", "closed, 4", "open, 50%", "open, 120%"]
    assert [row.requests for row in rows] == [20, 20, 20, 60]  # a queue needs time to grow
    assert all(row.errors == 0 and row.per_second > 0 and row.p50 <= row.p99 for row in rows)
    assert all(row.cpu_ms > 0 and row.memory > 20 and row.start_seconds > 0 for row in rows)


@pytest.mark.parametrize(("name", "errors"), [("wrong", 8), ("refusing", 0)])
def test_wrong_digits_are_errors_and_refusals_are_counted_apart(name, errors, monkeypatch):
    known = {name: Wrong(name, name, "/", "/", "raw")}
    monkeypatch.setattr(compare, "libraries", lambda: known)
    (row,) = compare.compare([name], rounds=1, requests=8, users=(2,), rates=(), alike=())
    assert (row.errors, row.refused) == (errors, 8 - errors) and row.per_second == 0


def test_a_bench_in_which_nobody_was_answered_fails(monkeypatch, tmp_path, capsys):
    known = {"course": Wrong("refusing", "refusing", "/", "/", "raw")}
    monkeypatch.setattr(compare, "libraries", lambda: known)
    words = ["bench", "serving", "--only", "course", "--rounds", "1", "--requests", "4"]
    assert cli.main([*words, "--json", str(tmp_path / "rows.json")]) == 1
    assert "100%" in capsys.readouterr().out
    head, rows = compare.recorded(tmp_path / "rows.json")
    assert head.startswith("20") and [row.refused for row in rows] == [4, 4, 4, 4, 4, 12, 12, 4]


class Slow(Library):
    """Reads slowly alone and fast in batches, and says the right digits to who sends them."""

    def server(self, max_batch=16, delay_ms=2.0):
        return Server([sys.executable, "-c", SLOW, "{port}", str(max_batch)], ready="/", name=self.title)

    def request(self, picture):
        return picture, {}

    def digits(self, answer):
        return answer.decode()


SLOW = """
import sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer
class Slow(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(0.3 if sys.argv[2] == "1" else 0.002)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
HTTPServer(("127.0.0.1", int(sys.argv[1])), Slow).serve_forever()
"""


def test_what_batches_bring(monkeypatch):
    monkeypatch.setattr(pairs, "libraries", lambda: {"slow": Slow("slow", "Slow", "/", "/", "raw")})
    monkeypatch.setattr(pairs, "asked", lambda count, seed: ([b"42"], ["42"]))
    (pair,) = pairs.batching(["slow"], rounds=1, requests=10, users=(1,))
    assert pair.errors == 0 and pair.factor == pair.second / pair.first > 2
    assert pair.first_p99 > 300
    assert "Slow" in str(pairs.table([pair])).splitlines()[1]


def test_what_more_readers_bring(monkeypatch):
    asked_for = []

    class Counted(Slow):
        def server(self, max_batch, delay_ms, readers):
            asked_for.append((max_batch, delay_ms, readers))
            return super().server(max_batch, delay_ms)

    monkeypatch.setattr(pairs, "libraries", lambda: {"slow": Counted("slow", "Slow", "/", "/", "raw")})
    monkeypatch.setattr(pairs, "asked", lambda count, seed: ([b"42"], ["42"]))
    (pair,) = pairs.several_readers(["slow"], rounds=1, requests=10, max_batch=4, readers=3, users=(1,))
    assert asked_for == [(4, 0.0, 1), (4, 0.0, 3)]
    assert pair.errors == 0 and min(pair.first, pair.second) > 0
    assert "one reader" in str(pairs.table([pair], pairs.MORE_READERS)).splitlines()[0]


class Sleeping(Slow):
    """As slow, or as fast, as its name says."""

    def server(self, *_):
        return super().server(1 if self.name == "slow" else 16)


def test_one_open_loop_is_at_the_same_rate_for_all(monkeypatch):
    known = {name: Sleeping(name, name, "/", "/", "raw") for name in ("slow", "fast")}
    rates = []

    def noted(call, rate, seconds, **options):
        rates.append(rate)
        return open_loop(call, rate, seconds, **options)

    monkeypatch.setattr(compare, "libraries", lambda: known)
    monkeypatch.setattr(compare, "asked", lambda count, seed: ([b"42"], ["42"]))
    monkeypatch.setattr(loads, "open_loop", noted)
    rows = compare.compare(known, rounds=1, requests=12, users=(1,), rates=(0.5,), alike=(0.8,))
    best = {row.library: row.per_second for row in rows if row.load == "closed, 1"}
    assert best["fast"] > best["slow"]
    assert rates == [0.5 * best["slow"], 0.5 * best["fast"], *2 * [0.8 * best["fast"]]]
    assert [row.load for row in rows][-2:] == 2 * ["80% of the best's"]


def test_the_rungs_of_the_web_server():
    names = ["asyncio and h11, base64", "two processes"]
    messages = []
    rows = web.climb(1, 24, names, say=messages.append)
    if sys.platform == "win32":  # there is no uvloop
        names, messages = names[:1], messages[1:]
    assert [row.rung for row in rows] == names
    assert all(row.errors == 0 and row.per_second > 0 and row.cpu_ms > 0 for row in rows)


@pytest.mark.thorough
def test_the_rung_grpc():
    ensure(web.GRPC)
    (row,) = web.climb(1, 24, ["gRPC"])
    assert row.errors == 0 and row.per_second > 0 and row.p50 <= row.p99


def test_parts_of_a_record_stand_beside_each_other(tmp_path):
    path = tmp_path / "rows.json"
    pair = pairs.Pair("A", 1, 1, 2, 2.0, 3, 4, 5, 6, 0)
    row = ServingRow("A", "closed, 1", 1, 2, 3, 0, 4, 5, 6)
    compare.save(path, None, [row])
    assert compare.recorded(path, "batching") == ("not measured yet", [])
    compare.save(path, "batching", [pair])
    assert compare.recorded(path, "batching")[1] == [pair]
    assert compare.recorded(path)[1] == [row]
    compare.save(path, None, [row, row])
    assert compare.recorded(path, "batching")[1] == [pair]


def test_a_library_that_is_not_built_is_named_and_skipped(monkeypatch):
    monkeypatch.setattr(compare, "libraries", lambda: {"no": Library("no", "None such", "/", "/", "raw")})
    messages = []
    assert compare.compare(["no"], rounds=1, say=messages.append) == []
    assert messages[0].startswith("None such: skipped, ")


def test_the_table_has_the_fastest_of_a_load_first():
    rows = [
        ServingRow(name, "closed, 1", rate, 1, 2, 0, 3, 4, 5) for name, rate in (("slow", 5), ("fast", 50))
    ]
    lines = str(compare.table(rows)).splitlines()
    assert "fast" in lines[1] and "slow" in lines[2]


def test_our_service_gets_as_many_readers_as_the_others():
    ours = libraries.libraries()[libraries.OURS]
    for readers in (1, 2):
        command = ours.server(readers=readers).command
        assert command[command.index("--threads") + 1] == str(readers)


def test_a_library_with_one_reader_only_says_so():
    with pytest.raises(stations.StationError, match="one reader only"):
        Library("no", "None such", "/", "/", "raw").server(readers=2)


@pytest.mark.parametrize("format", libraries.FORMATS)
def test_what_is_asked_and_answered_in_each_format(format):
    library = Library("x", "X", "/", "/", format)
    body, headers = library.request(b"PNG")
    assert (b'"shape": [1, 1]' in body) == (format == "oip-rows")
    assert (b"PNG" in body or b"UE5H" in body) and "Content-Type" in headers
    plain = b'{"digits": "42", "confidence": 0.5}'
    tensors = b'{"outputs": [{"name": "confidence", "data": [0.5]}, {"name": "digits", "data": ["42"]}]}'
    assert library.reading(plain if format in ("raw", "form") else tensors) == ("42", 0.5)
