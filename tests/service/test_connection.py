"""The service as a socket sees it: what is said byte for byte, slowly, halfway, by too many, and at the end.

Each test asks the service with each of the two HTTP parsers, and knows nothing of either.
"""

import base64
import gzip
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
import zlib

import httpx2
import numpy as np
import pytest
from fake_service import fake_server
from polling import until

from fsdl_deploy.paths import ROOT
from fsdl_deploy.picture import encode
from fsdl_deploy.service.connection import HEAD_SECONDS

PNG = encode(np.full((32, 64), 200, np.uint8))
BODY = json.dumps({"pictures": [base64.b64encode(PNG).decode()]}).encode()
READ = b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
ASKED = READ + LENGTH + b"\r\n" + BODY
ALIVE = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture(scope="module", params=[(), ("--h11",)], ids=["httptools", "h11"])
def server(request):
    with fake_server(*request.param, "--max-waiting", "200") as server:
        yield server


def in_chunks(data: bytes, size: int, trailer: bytes = b"") -> bytes:
    parts = (data[start : start + size] for start in range(0, len(data), size))
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n" + trailer + b"\r\n"


def answers(server, data: bytes, half_closed: bool = False) -> tuple[list[int], bytes]:
    """The statuses of all answers to ``data`` on one connection, and all its bytes; it ends with a close."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as raw:
        raw.sendall(data)
        if half_closed:
            raw.shutdown(socket.SHUT_WR)
        text = b"".join(iter(lambda: raw.recv(2**16), b""))
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", text)], text


LAST = ALIVE + b"Connection: close\r\n\r\n"  # behind a request, so that the connection ends


@pytest.mark.parametrize(
    "offer",
    [
        b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIA\r\n",
        b"Connection: keep-alive, upgrade\r\nUpgrade: TLS/1.3, HTTP/2.0\r\n",
        b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
    ],
    ids=["h2c", "TLS", "websocket"],
)
def test_an_offer_of_another_protocol_is_ignored_and_the_body_is_read(server, offer):
    chunked = READ + offer + b"Transfer-Encoding: chunked\r\n\r\n" + in_chunks(BODY, 50)
    statuses, text = answers(server, READ + offer + LENGTH + b"\r\n" + BODY + chunked + LAST)
    assert statuses == [200, 200, 200] and text.count(b'"digits":"64"') == 2, text


def test_a_tunnel_is_refused_and_nothing_behind_it_is_read(server):
    assert answers(server, b"CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n" + ALIVE + b"\r\n")[0] == [405]


@pytest.mark.parametrize(
    ("head", "statuses", "field"),
    [
        (b"GET /healthz HTTP/1.1\r\n", [400], b"Host"),
        (ALIVE + b"Host: x\r\n", [400], b"Host"),
        (b"GET /healthz HTTP/1.1\r\nHost: a b\r\n", [400], b"Host"),
        (b"GET /healthz HTTP/1.1\r\nHost: user@x\r\n", [400], b"Host"),
        (READ + b"Transfer-Encoding: gzip, chunked\r\n", [501], b"Transfer-Encoding"),
        (READ + b"Transfer-Encoding: chunked, gzip\r\n", [400, 501], b"Transfer-Encoding"),
        (READ + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", [400, 501], b"Transfer"),
        (READ + b"Transfer-Encoding: xchunked\r\n", [501], b"Transfer-Encoding"),
        (READ + b"Transfer-Encoding : chunked\r\n", [400], b"request"),
        (READ + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", [400], b"Transfer-Encoding"),
        (READ.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n", [400], b"Transfer-Encoding"),
        (READ + b"Content-Length: 5\r\nContent-Length: 6\r\n", [400], b"Content-Length"),
        (READ + b"Content-Length: +5\r\n", [400], b"Content-Length"),
        (READ + b"Content-Length: " + b"9" * 40 + b"\r\n", [400], b"Content-Length"),
        (ALIVE + b"X: a\0b\r\n", [400], b"request"),
        (b"GET /healthz?" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n", [414], b"path"),
        (ALIVE + b"a: b\r\n" * 200, [431], b"headers"),
        (b"PRI * HTTP/2.0\r\n", [400, 505], b"HTTP"),
    ],
)
def test_a_head_that_two_servers_could_read_differently_is_refused(server, head, statuses, field):
    got, text = answers(server, head + b"\r\n" + in_chunks(b"GET /smuggled HTTP/1.1", 9))
    assert len(got) == 1 and got[0] in statuses and field in text, text
    assert text.partition(b"\r\n\r\n")[2].startswith(b'{"error": {"field": "'), text


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"GET http://x:80/healthz?a=b HTTP/1.1", 200),
        (b"GET HTTP://x HTTP/1.1", 307),
        (b"OPTIONS * HTTP/1.1", 204),
        (b"GET /%68ealthz HTTP/1.1", 200),
        (b"GET /healthz#here HTTP/1.1", 200),
        (b"GET /%ff%00 HTTP/1.1", 404),
        (b"\r\nGET /healthz HTTP/1.1", 200),
    ],
)
def test_every_form_of_target_is_understood(server, request_line, status):
    assert answers(server, request_line + b"\r\nHost: x\r\n\r\n" + LAST)[0] == [status, 200]


def test_what_is_no_request_is_refused_after_the_answers_to_those_before_it(server):
    statuses, text = answers(server, ASKED * 3 + b"\0\1garbage\r\n\r\n" + ASKED)
    assert statuses == [200, 200, 200, 400] and text.count(b'"digits":"64"') == 3


def test_headers_behind_the_body_are_no_headers_and_have_an_end(server):
    chunked = READ + b"Transfer-Encoding: chunked\r\n\r\n"
    late = b"X-Request-Id: from-a-trailer\r\nContent-Encoding: br\r\n"
    statuses, text = answers(server, chunked + in_chunks(BODY, 50, late) + LAST)
    assert statuses == [200, 200] and b"from-a-trailer" not in text
    for endless in (in_chunks(BODY, 50, b"a: b\r\n" * 30_000), b"5;" + b"a" * 2**17):
        assert answers(server, chunked + endless)[0] == [431]


def test_half_closed_clients_get_their_answers(server):
    assert answers(server, ASKED, half_closed=True)[0] == [200]
    assert answers(server, ASKED + ALIVE + b"\r\n", half_closed=True)[0] == [200, 200]
    for partial in (READ, READ + LENGTH + b"\r\n" + BODY[:9]):
        assert answers(server, partial, half_closed=True)[0] == [400]


def asked_for(width: int) -> bytes:
    picture = base64.b64encode(encode(np.full((32, width), 9, np.uint8))).decode()
    body = json.dumps({"pictures": [picture]}).encode()
    return READ + b"Content-Length: %d\r\n\r\n" % len(body) + body


def test_a_half_closed_client_waits_for_a_slow_answer(server):
    statuses, text = answers(server, asked_for(668), half_closed=True)
    assert statuses[-1] == 200 and set(statuses[:-1]) <= {100} and b'"digits":"668"' in text


@pytest.mark.parametrize("option", [(), ("--h11",)], ids=["httptools", "h11"])
def test_clients_that_left_are_forgotten_though_half_closed_ones_are_not(option, tmp_path):
    def in_progress(count: int) -> bool:
        page = httpx2.get(server.url + "/metrics", timeout=30).text
        return f"reader_requests_in_progress {count}.0" in page

    gate = tmp_path / "open"
    with fake_server(*option, "--threads", "1", "--gate", gate) as server:
        connections = [socket.create_connection(("127.0.0.1", server.port), timeout=60) for _ in range(9)]
        for raw in connections:
            raw.sendall(asked_for(665))
        until(lambda: in_progress(9))
        half = connections.pop()
        half.shutdown(socket.SHUT_WR)
        for raw in connections:
            raw.close()
        until(lambda: in_progress(2) or in_progress(1))  # the one that runs, and the one that waits
        gate.touch()
        text = b"".join(iter(lambda: half.recv(2**16), b""))
        half.close()
    assert b"HTTP/1.1 200 OK" in text and b'"digits":"665"' in text


@pytest.mark.parametrize(
    ("name", "data", "status"),
    [
        ("gzip", gzip.compress(BODY), 200),
        ("x-gzip", gzip.compress(BODY[:50]) + gzip.compress(BODY[50:]), 200),
        ("deflate", zlib.compress(BODY), 200),
        ("deflate", zlib.compress(BODY, wbits=-15), 200),
        ("identity", BODY, 200),
        ("gzip", gzip.compress(BODY)[:-6], 400),
        ("gzip", gzip.compress(BODY) + b"more", 400),
        ("gzip", BODY, 400),
        ("gzip", gzip.compress(b"") * 10_000, 400),
        ("gzip", gzip.compress(b" " * 50 * 2**20), 413),
        ("gzip, gzip", gzip.compress(gzip.compress(BODY)), 415),
        ("br", BODY, 415),
    ],
)
def test_a_compressed_body_is_unpacked_within_the_limit_of_any_body(server, name, data, status):
    headers = {"content-encoding": name, "content-type": "application/json"}
    answer = httpx2.post(server.url + "/read", content=data, headers=headers, timeout=60)
    assert answer.status_code == status, answer.text
    assert status != 200 or answer.json()["readings"][0]["digits"] == "64"


def asked_meanwhile(server, sending) -> int:
    """How many times /healthz answers while ``sending`` runs."""
    times = 0
    with httpx2.Client(base_url=server.url, timeout=60) as client:
        thread = threading.Thread(target=sending)
        thread.start()
        while thread.is_alive():
            times += client.get("/healthz").status_code == 200
        thread.join()
    return times


def test_a_body_of_tiny_chunks_leaves_others_their_turn_and_has_an_end(server):
    spread = in_chunks(b" " * 20_000 + BODY, 1)
    got = []

    def sending():
        got.append(answers(server, READ + b"Transfer-Encoding: chunked\r\n\r\n" + spread + LAST)[0])

    assert asked_meanwhile(server, sending) > 3 and got == [[200, 200]]
    endless = READ + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\n \r\n" * 140_000
    assert answers(server, endless)[0] == [413]


def test_a_head_that_does_not_end_is_cut_off_and_so_is_silence(server):
    started = time.monotonic()
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=3 * HEAD_SECONDS) as slow,
        socket.create_connection(("127.0.0.1", server.port), timeout=3 * HEAD_SECONDS) as silent,
    ):
        slow.sendall(ALIVE + b"X: ")
        stop = threading.Event()

        def drip():
            while not stop.wait(0.5):
                try:
                    slow.sendall(b"a")
                except OSError:
                    return

        dripping = threading.Thread(target=drip)
        dripping.start()
        assert slow.recv(100).startswith(b"HTTP/1.1 408 ")
        stop.set()
        dripping.join()
        assert silent.recv(100) == b""
    assert time.monotonic() - started > 0.9 * HEAD_SECONDS


def limited(process_options: tuple[str, ...], files: int) -> tuple[subprocess.Popen, int]:
    """The service with at most so many open files, and its port."""
    process = subprocess.Popen(
        [sys.executable, ROOT / "tests" / "fake_service.py", *process_options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files)),
    )
    port = int(process.stdout.readline().rpartition(":")[2])
    until(lambda: httpx2.get(f"http://127.0.0.1:{port}/readyz").status_code == 200)
    return process, port


@pytest.mark.parametrize("option", [(), ("--h11",)], ids=["httptools", "h11"])
def test_silent_connections_lock_nobody_out_and_the_log_tells_of_them(option):
    process, port = limited(option, 64)
    silent = []
    try:
        for _ in range(150):
            silent.append(socket.create_connection(("127.0.0.1", port), timeout=30))
        for _ in range(3):
            answer = httpx2.post(f"http://127.0.0.1:{port}/read", content=BODY, timeout=30,
                                 headers={"content-type": "application/json"})  # fmt: skip
            assert answer.json()["readings"][0]["digits"] == "64"
    finally:
        for raw in silent:
            raw.close()
        process.send_signal(signal.SIGTERM)
        log = process.communicate(timeout=30)[0]
    assert re.search(r"connections are the most .* closed \d+ idle ones", log), log
    assert "Traceback" not in log and "Too many open files" not in log, log


@pytest.mark.parametrize("option", [(), ("--h11",)], ids=["httptools", "h11"])
def test_the_end_resets_nobody_who_was_let_in(option):
    process, port = limited((*option, "--drain", "0"), 1024)
    outcomes, stop = [], threading.Event()

    def ask():
        while not stop.is_set():
            try:
                raw = socket.create_connection(("127.0.0.1", port), timeout=30)
            except ConnectionRefusedError:
                return  # it takes no more
            with raw:
                try:
                    raw.sendall(ASKED)
                    outcomes.append(raw.recv(2**16)[:12])
                except OSError as error:
                    outcomes.append(error)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    kept = socket.create_connection(("127.0.0.1", port), timeout=30)  # asks only after the signal
    until(lambda: len(outcomes) > 30)
    process.send_signal(signal.SIGTERM)
    kept.sendall(ASKED)
    first = kept.recv(2**16)
    kept.close()
    for thread in threads:
        thread.join()
    stop.set()
    process.communicate(timeout=30)
    assert first.startswith(b"HTTP/1.1 200")
    assert set(outcomes) == {b"HTTP/1.1 200"}, set(outcomes)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="limits of processes are POSIX's")
@pytest.mark.parametrize("option", [(), ("--h11",)], ids=["httptools", "h11"])
def test_a_form_above_a_megabyte_needs_no_disk(option):
    code = (
        "import sys, tempfile, runpy\n"
        "def none(*_, **__): raise OSError(30, 'Read-only file system')\n"
        "tempfile.TemporaryFile = tempfile.NamedTemporaryFile = none\n"
        "sys.argv = sys.argv[1:]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    command = [sys.executable, "-c", code, ROOT / "tests" / "fake_service.py", "--port", "{port}", *option]
    from fsdl_deploy.running.servers import Server

    noise = np.random.default_rng(0).integers(0, 255, (1000, 1700), np.uint8)
    with Server(command, "/readyz", env={"PYTHONPATH": str(ROOT / "tests")}) as server:
        picture = encode(noise)
        assert len(picture) > 2**20
        files = [("pictures", ("card.png", picture, "image/png"))] * 2
        answer = httpx2.post(server.url + "/read", files=files, timeout=60)
        assert [reading["digits"] for reading in answer.json()["readings"]] == ["1700", "1700"]
