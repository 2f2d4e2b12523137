"""The model service under attack: what it promises in its OpenAPI document, and hostile requests.

Whatever comes, the answer is a 4xx in the service's own words, and the process is still the same.
"""

import base64
import contextlib
import functools
import gzip
import io
import json
import re
import zlib
from pathlib import Path

import httpx2
import numpy as np
import PIL.Image
import psutil
import pytest
import schemathesis
from fake_service import WidthReader, fake_server
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from polling import until
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import positive_data_acceptance
from sockets import raw_post

from fsdl_deploy.measuring.machine import peak_memory
from fsdl_deploy.picture import encode
from fsdl_deploy.service.app import create_app
from fsdl_deploy.service.body_limit import SMALL

load_all_checks()
JSON, FORM = "application/json", "multipart/form-data; boundary=XX"

# What the document calls a picture. Not above 60 pixels: the fake reader falls ill at some widths.
sides = st.integers(8, 60)
pictures = st.builds(
    lambda h, w, grey: encode(np.full((h, max(w, (h + 1) // 2)), grey, np.uint8)),
    sides,
    sides,
    st.integers(0, 255),
)
schemathesis.openapi.format("base64-picture", pictures.map(lambda data: base64.b64encode(data).decode()))
schemathesis.openapi.media_type("image/png", pictures)


@pytest.fixture(scope="module")
def server():
    with fake_server("--max-pictures", "8") as server:
        pid = server.pid
        yield server
        assert server.pid == pid and server.running
        assert httpx2.get(server.url + "/readyz", trust_env=False).status_code == 200
        assert "Exception in ASGI" not in server.log()


document = create_app(WidthReader(), max_pictures=8).openapi()
schema = schemathesis.openapi.from_dict(document)


def promise(path: str, method: str):
    """The test that one operation of the service keeps what the document promises."""
    # No schema can say that a tensor's shape fits its data: what it allows may be refused.
    unknowable = [positive_data_acceptance] if path.endswith("/infer") else []

    @schema.include(path=path, method=method.upper()).parametrize()
    @settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def kept(case, server):
        case.call_and_validate(base_url=server.url, excluded_checks=unknowable)

    return kept


# A function for each: what Schemathesis makes of one function has one id, and xdist runs an id once.
for path, methods in document["paths"].items():
    for method in methods:
        globals()[f"test_promise_of_{method}{re.sub('[^a-z0-9]+', '_', path)}"] = promise(path, method)


def card(width=60, height=32):
    return np.full((height, width), 200, np.uint8)


def text(data):
    return base64.b64encode(data).decode()


def in_json(*data):
    return json.dumps({"pictures": [text(each) for each in data]}).encode()


def part(data, name="pictures", extra='; filename="a.png"'):
    head = f'--XX\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n'
    return head.encode() + data + b"\r\n"


def bomb(side):
    """A small PNG of side × side pixels, which takes a thousand times its size when it is decoded."""
    out = io.BytesIO()
    PIL.Image.new("1", (side, side)).save(out, "PNG")
    return out.getvalue()


def saved(kind):
    """Noise of 60 × 32 pixels as a file of this kind."""
    out = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (32, 60), np.uint8)
    PIL.Image.fromarray(noise).save(out, kind)
    return out.getvalue()


def false_header():
    """A PNG whose header says 60,000 × 60,000 while there are no pixels at all."""
    chunks = (b"IHDR" + (60_000).to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0]), b"IDAT", b"IEND")
    sums = [(len(c) - 4).to_bytes(4, "big") + c + zlib.crc32(c).to_bytes(4, "big") for c in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(sums)


PNG = encode(card())
END = b"--XX--\r\n"
HOSTILE = {
    # name: (content type, body, status, field, words of the problem)
    "nothing": (JSON, b"", 400, "body", "not JSON"),
    "not JSON": (JSON, b"pictures=1", 400, "body", "not JSON"),
    "half JSON": (JSON, b'{"pictures": ["', 400, "body", "not JSON"),
    "not UTF-8": (JSON, b'{"pictures": ["\xff\xfe"]}', 400, "body", "not JSON"),
    "NaN": (JSON, b'{"pictures": [NaN]}', 400, "body", "NaN is no JSON value"),
    "deep JSON": (JSON, b"[" * 200_000, 400, "body", "nested too deeply"),
    "deep JSON in the field": (JSON, b'{"pictures":' + b"[" * 200_000, 400, "body", "nested too deeply"),
    "huge number": (JSON, b'{"pictures": [' + b"9" * 100_000 + b"]}", 400, "body", "not JSON"),
    "a list": (JSON, b'["x"]', 422, "body", "must be an object"),
    "a null": (JSON, b"null", 422, "body", "must be an object"),
    "no field": (JSON, b"{}", 422, "pictures", "missing"),
    "misspelt field": (JSON, b'{"picture": []}', 422, "'picture'", "unknown field"),
    "surrogate field": (JSON, b'{"\\ud800": 1}', 422, "'\\ud800'", "unknown field"),
    "one string": (JSON, b'{"pictures": "aaaa"}', 422, "pictures", "list"),
    "a number": (JSON, b'{"pictures": [7]}', 422, "pictures[0]", "string"),
    "empty list": (JSON, b'{"pictures": []}', 422, "pictures", "empty"),
    "garbage base64": (JSON, b'{"pictures": ["%%%%"]}', 422, "pictures[0]", "not base64"),
    "surrogate base64": (JSON, b'{"pictures": ["\\ud800"]}', 422, "pictures[0]", "not base64"),
    "cut base64": (
        JSON,
        json.dumps({"pictures": [text(PNG)[:-3]]}).encode(),
        422,
        "pictures[0]",
        "not base64",
    ),
    "data URL in hex": (JSON, b'{"pictures": ["data:image/png,89504e"]}', 422, "pictures[0]", "data URL"),
    "0 bytes": (JSON, b'{"pictures": [""]}', 422, "pictures[0]", "0 bytes"),
    "no picture": (JSON, in_json(PNG, b"%PDF-1.7"), 422, "pictures[1]", "not a picture"),
    "half a picture": (JSON, in_json(PNG[:-30]), 422, "pictures[0]", "damaged"),
    "one pixel": (JSON, in_json(bomb(1)), 422, "pictures[0]", "smaller than"),
    "bomb": (JSON, in_json(bomb(12_000)), 422, "pictures[0]", "above the limit"),
    "false header": (JSON, in_json(false_header()), 422, "pictures[0]", "limit"),
    "many half bombs": (JSON, in_json(*[bomb(3_900)] * 8), 413, "pictures[2]", "pixels in all"),
    "vector graphics": (
        JSON,
        in_json(b'<svg xmlns="http://www.w3.org/2000/svg"/>'),
        422,
        "pictures[0]",
        "not a",
    ),
    "a kind we do not take": (JSON, in_json(saved("TIFF")), 422, "pictures[0]", "not a picture"),
    "a file by its path": (JSON, b'{"pictures": ["/etc/passwd"]}', 422, "pictures[0]", "not"),
    "a picture by its address": (
        JSON,
        b'{"pictures": ["http://127.0.0.1/a.png"]}',
        422,
        "pictures[0]",
        "not base64",
    ),
    "half a JPEG": (JSON, in_json(saved("JPEG")[:300]), 422, "pictures[0]", "damaged"),
    "true": (JSON, b'{"pictures": true}', 422, "pictures", "list"),
    "a list in a list": (JSON, b'{"pictures": [[]]}', 422, "pictures[0]", "string"),
    "10,000 pictures": (JSON, in_json(*[b"x"] * 10_000), 422, "pictures", "at most 8"),
    "a million lists": (JSON, b'{"pictures": [' + b"[]," * 10**6 + b"[]]}", 422, "pictures", "at most 8"),
    "no content type": (None, in_json(PNG), 415, "Content-Type", "send application/json"),
    "text": ("text/plain", in_json(PNG), 415, "Content-Type", "send application/json"),
    "web form": (
        "application/x-www-form-urlencoded",
        b"pictures=1",
        415,
        "Content-Type",
        "multipart/form-data",
    ),
    "JSON that curl calls a form": (
        "application/x-www-form-urlencoded",
        b'{"picture": []}',
        422,
        "'picture'",
        "unknown field",
    ),
    "bare picture": ("image/png", PNG, 415, "Content-Type", "multipart/form-data"),
    "strange type": ("a" * 5000 + ';;;="', b"x", 415, "Content-Type", "send application/json"),
    "no boundary": ("multipart/form-data", part(PNG) + END, 400, "body", "boundary"),
    "wrong boundary": ("multipart/form-data; boundary=YY", part(PNG) + END, 400, "body", "malformed"),
    "empty form": (FORM, END, 422, "pictures", "empty"),
    "no form": (FORM, b"", 422, "pictures", "empty"),
    "form cut off within a picture": (FORM, part(PNG) + part(PNG)[:-9], 400, "body", "cut off"),
    "form cut off between pictures": (FORM, part(PNG) + part(PNG), 400, "body", "cut off"),
    "half a form": (FORM, part(PNG)[:-9], 400, "body", "cut off"),
    "wrong part": (FORM, part(PNG) + part(PNG, "picture") + END, 422, "'picture'", "unknown part"),
    "text part": (FORM, part(b"hello", extra="") + END, 422, "pictures[0]", "not a picture"),
    "empty part": (FORM, part(PNG) + part(b"") + END, 422, "pictures[1]", "0 bytes"),
    "thousands of parts": (FORM, part(b"x") * 5000 + END, 422, "pictures", "at most 8"),
    "thousands of fields": (FORM, part(b"x", extra="") * 5000 + END, 422, "pictures", "at most 8"),
    "no name": (FORM, b"--XX\r\nContent-Disposition: form-data\r\n\r\nx\r\n" + END, 400, "body", '"name"'),
    "endless part header": (FORM, b"--XX\r\nX: " + b"a" * 10**6, 400, "body", "malformed"),
    "hostile charset": (FORM + "; charset=undefined", part(b"x", extra="") + END, 400, "body", "malformed"),
    "13 MB": (JSON, b" " * 13 * 2**20, 413, "body", "bytes"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_request_is_refused_by_name(server, name):
    content_type, body, status, field, words = HOSTILE[name]
    headers = {"content-type": content_type} if content_type else {}
    answer = httpx2.post(server.url + "/read", content=body, headers=headers, timeout=30, trust_env=False)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    error = answer.json()["error"]
    assert error["field"] == field
    assert words in error["problem"]
    assert len(error["problem"]) < 300


@pytest.mark.parametrize("path", [path for path, methods in document["paths"].items() if "post" in methods])
def test_a_body_in_an_unknown_compression_is_refused(server, path):
    headers = {"content-type": JSON, "content-encoding": "gzip, br"}
    url = server.url + path.format(name="meter-reader", project="p", location="l", endpoint="e")
    answer = httpx2.post(url, content=gzip.compress(in_json(PNG)), headers=headers)
    assert answer.status_code == 415 and "Content-Encoding" in answer.text, answer.text
    assert answer.headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from /proc")
@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("content_type", [JSON, FORM])
@pytest.mark.parametrize("path", ["/read", "/healthz", "/nowhere"])
def test_100_mb_are_refused_with_an_answer_and_flat_memory(server, announced, content_type, path):
    before, peak = psutil.Process(server.pid).memory_info().rss, peak_memory(server.pid) * 2**20

    def flood():
        if content_type == FORM:
            yield part(b"")[:-2]
        for _ in range(100):
            yield bytes(2**20)

    headers = {"content-type": content_type}
    if announced:
        headers["content-length"] = str(100 * 2**20 + (len(part(b"")[:-2]) if content_type == FORM else 0))
    answer = httpx2.post(server.url + path, content=flood(), headers=headers, timeout=30, trust_env=False)
    assert answer.status_code == {"/read": 413, "/healthz": 405, "/nowhere": 404}[path]
    assert answer.json()["error"]["problem"]
    assert (
        max(peak_memory(server.pid) * 2**20 - peak, psutil.Process(server.pid).memory_info().rss - before)
        < 60 * 2**20
    )


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from /proc")
def test_many_large_bodies_together_are_bounded_and_shut_out_no_single_card():
    size, limit = 4 * 2**20, 12 * 2**20
    options = ["--max-held", str(limit), "--max-bytes", str(size)]
    with fake_server(*options) as server, contextlib.ExitStack() as stack:
        post = functools.partial(
            httpx2.post, server.url + "/read", headers={"content-type": JSON}, timeout=20
        )
        large = b" " * (size - 2 * SMALL) + in_json(PNG)
        assert post(content=large).status_code == 200
        before = peak_memory(server.pid) * 2**20
        for _ in range(20):  # 78 MB of bodies that never end
            connection = stack.enter_context(raw_post(server.port, size, b""))
            with contextlib.suppress(OSError):  # a refused body is thrown away, for some seconds
                connection.settimeout(20)
                connection.sendall(bytes(size - SMALL))
        refused = post(content=large)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        assert "bytes of requests" in refused.json()["error"]["problem"]
        assert post(content=in_json(PNG)).status_code == 200
        assert peak_memory(server.pid) * 2**20 - before < 2 * limit
        stack.close()
        until(lambda: post(content=large).status_code == 200, 20)  # those that left give their share back


def test_client_that_leaves_in_the_middle_leaves_nothing_behind(server):
    for _ in range(20):
        raw_post(server.port, 10**6, b"x" * 1000).close()
    until(lambda: not connections(server), 20)
    assert "Traceback" not in server.log()
    answer = httpx2.post(server.url + "/read", content=in_json(PNG), headers={"content-type": JSON})
    assert answer.status_code == 200


def connections(server):
    process = psutil.Process(server.pid)
    return [c for c in process.net_connections("tcp") if c.status in ("ESTABLISHED", "CLOSE_WAIT")]


def test_body_that_never_ends_is_given_up():
    with (
        fake_server("--body-seconds", "2") as server,
        raw_post(server.port, 100, b'{"pictures"') as connection,
    ):
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"did not arrive within 2 s" in answer


def test_many_slow_bodies_do_not_stop_the_others(server):
    slow = [raw_post(server.port, 100, b"{") for _ in range(100)]
    try:
        answer = httpx2.post(
            server.url + "/read", content=in_json(PNG), headers={"content-type": JSON}, timeout=10
        )
        assert answer.status_code == 200
    finally:
        for connection in slow:
            connection.close()


def test_crash_of_the_model_itself_is_the_only_thing_that_ends_the_process():
    """The fake can end its process from inside the model, as a fault in native code would."""
    with fake_server() as server:
        with pytest.raises(httpx2.HTTPError):
            httpx2.post(
                server.url + "/read", content=in_json(encode(card(669))), headers={"content-type": JSON}
            )
        until(lambda: not server.running, 20)
        server.start()
        assert httpx2.get(server.url + "/readyz").status_code == 200
