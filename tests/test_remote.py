"""The client's side of model-as-service, against the real service and against servers that misbehave."""

import http.server
import json
import socket
import socketserver
import threading
import time
from contextlib import contextmanager, suppress

import numpy as np
import PIL.Image
import pytest
from fake_service import fake_server

from fsdl_deploy import remote
from fsdl_deploy.cards import cards
from fsdl_deploy.picture import PictureError
from fsdl_deploy.reader import OnnxReader
from fsdl_deploy.reading import Reading
from fsdl_deploy.remote import RemoteError, RemoteReader
from fsdl_deploy.running.course_servers import course_server
from fsdl_deploy.running.ports import free_port


def card(width=100):
    return np.full((32, width), 200, np.uint8)


@pytest.fixture(scope="module")
def service():
    with fake_server("--max-pictures", "5") as server:
        yield server


@pytest.fixture(scope="module")
def model_service():
    with course_server("serve") as server:
        yield server


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(remote, "_BACKOFF", 0.01)


@contextmanager
def answering(*answers):
    """A server that gives these (status, headers, body) in turn, the last for ever.

    Yields its url and the requests it has seen: method, path, bytes of the body.
    """
    seen = []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            length = int(self.headers.get("content-length", 0))
            self.rfile.read(length)
            status, headers, body = answers[min(len(seen), len(answers) - 1)]
            seen.append((self.command, self.path, length))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def reading(digits="42"):
    return {"digits": digits, "confidence": 0.5, "digit_confidence": [0.5] * len(digits)}


GOOD = (200, {}, {"model_version": "v9", "readings": [reading()]})
LOADING = (503, {"Retry-After": "0"}, {"error": {"field": "model", "problem": "the model is still loading"}})


def test_reads_what_the_service_reads(service):
    with RemoteReader(service.url + "/") as reader:
        assert reader.read([card(123)]) == [Reading("123", 0.9, (0.9, 0.9, 0.9), "fake")]
        assert reader.model_version == "fake"


def test_no_picture_is_no_request():
    with RemoteReader("http://127.0.0.1:9", retries=0) as reader:
        assert reader.read([]) == []


def test_model_version_asks_the_service_first(service):
    with RemoteReader(service.url) as reader:
        assert reader.model_version == "fake"


def test_long_list_goes_in_chunks_and_keeps_its_order(service):
    widths = list(range(100, 123))
    with RemoteReader(service.url) as reader:
        assert [r.digits for r in reader.read([card(width) for width in widths])] == [str(w) for w in widths]


def test_chunks_keep_to_the_limit_of_bytes():
    limits = (200, {}, {"model_version": "v9", "max_pictures": 100, "max_bytes": 1000})
    noise = np.random.default_rng(0).integers(0, 256, (20, 20), np.uint8)
    with answering(limits, GOOD) as (url, seen), RemoteReader(url) as reader:
        assert len(reader.read([noise] * 4)) == 4
    assert [request[:2] for request in seen] == [("GET", "/readyz")] + [("POST", "/read")] * 4


def test_only_so_many_pixels_go_in_one_request():
    limits = (200, {}, {"model_version": "v9", "max_pictures": 100, "max_bytes": 10**7})
    answers = [(200, {}, {"model_version": "v9", "readings": [reading()] * count}) for count in (2, 1)]
    with answering(limits, *answers) as (url, seen), RemoteReader(url) as reader:
        assert len(reader.read([np.zeros((2000, 4000), np.uint8)] * 3)) == 3
    assert len(seen) == 3, "a service decodes only so many pixels for one request"


def test_a_picture_whose_png_is_too_long_for_the_service_goes_as_jpeg(monkeypatch):
    sizes, noise = [], np.random.default_rng(0).integers(0, 256, (200, 400), np.uint8)
    monkeypatch.setattr(remote, "_SMALL", 1000)
    for max_bytes in (200_000, 90_000, 50_000):
        limits = (200, {}, {"model_version": "v9", "max_pictures": 9, "max_bytes": max_bytes})
        with answering(limits, GOOD) as (url, seen), RemoteReader(url) as reader:
            reader.read([noise])
        sizes.append(seen[-1][2])
        assert sizes[-1] <= max_bytes
    assert sizes[0] > sizes[1] > sizes[2]


@pytest.mark.parametrize(("height", "width", "sigma"), [(4000, 4000, 8), (2000, 7900, 4), (1960, 8160, 60)])
def test_noisy_photographs_read_the_same_locally_and_remotely(height, width, sigma, model_service):
    rng = np.random.default_rng(1)
    image = PIL.Image.fromarray(next(cards(1)).image).resize((width, height), PIL.Image.Resampling.BICUBIC)
    noise = rng.standard_normal((height, width), np.float32) * sigma
    image = (np.asarray(image) + noise).clip(0, 255).astype(np.uint8)
    here = OnnxReader().read([image])[0]
    with RemoteReader(model_service.url, timeout=60) as reader:
        there = reader.read([image])[0]
    assert there.digits == here.digits and abs(there.confidence - here.confidence) < 3e-3


def test_refused_picture_is_a_picture_error_with_its_place_in_the_whole_list(service):
    images = [card(100 + i) for i in range(12)]
    images[7] = card(667)
    with RemoteReader(service.url) as reader, pytest.raises(PictureError, match="not a meter card"):
        reader.read(images)
    refusal = (422, {}, {"error": {"field": "pictures[1]", "problem": "damaged"}})
    limits = (200, {}, {"model_version": "v9", "max_pictures": 2, "max_bytes": 10**6})
    two = (200, {}, {"model_version": "v9", "readings": [reading(), reading()]})
    with (
        answering(limits, two, refusal) as (url, _),
        RemoteReader(url) as reader,
        pytest.raises(PictureError, match=r"^pictures\[3\]: damaged$"),
    ):
        reader.read(images[:4])


def test_bad_array_is_named_before_anything_is_sent():
    with (
        RemoteReader("http://127.0.0.1:9") as reader,
        pytest.raises(PictureError, match=r"pictures\[1\].*float64"),
    ):
        reader.read([card(), np.zeros((32, 32))])


def test_no_service_says_how_to_start_it():
    url = f"http://127.0.0.1:{free_port()}"
    with (
        RemoteReader(url) as reader,
        pytest.raises(RemoteError, match=f"no service at {url}.*fsdl-deploy serve"),
    ):
        reader.read([card()])


def test_slow_service_is_given_up_after_the_timeout_and_not_asked_again(service):
    with RemoteReader(service.url, timeout=0.2) as reader:
        start = time.monotonic()
        with pytest.raises(RemoteError, match=r"no answer from http://.* within 0.2 s"):
            reader.read([card(668)])
        assert time.monotonic() - start < 0.2 * 3  # three tries would take longer


@contextmanager
def dripping(*answers):
    """A server that sends one of ``answers`` at each request of a connection, then drips; yields its url."""
    stop = threading.Event()

    class Dripping(socketserver.BaseRequestHandler):
        def handle(self):
            with suppress(OSError):
                for answer in answers:
                    self.request.recv(1000)
                    self.request.sendall(answer)
                end = time.monotonic() + 5
                while time.monotonic() < end and not stop.wait(0.05):
                    self.request.sendall(b"a")

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Dripping)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        stop.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("answer", [b"HTTP/1.1 200 OK\r\nX-Drip: ", b"HTTP/1.1 200 OK\r\n\r\n"])
@pytest.mark.parametrize("before", [[], [b"HTTP/1.1 404 Nothing\r\ncontent-length: 2\r\n\r\n{}"]])
def test_answer_that_drips_is_given_up_too(before, answer):
    with dripping(*before, answer) as url, RemoteReader(url, timeout=0.5) as reader:
        for _ in before:  # then the connection is an old one
            with pytest.raises(RemoteError, match="status 404"):
                _ = reader.model_version
        start = time.monotonic()
        with pytest.raises(RemoteError, match=r"within 0\.5 s"):
            _ = reader.model_version
        assert time.monotonic() - start < 1.5


def test_service_that_takes_the_body_by_drips_is_given_up():
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def sip():
            connection, _ = listener.accept()
            with connection:
                while not stop.wait(0.1):
                    connection.recv(2**20)

        thread = threading.Thread(target=sip)
        thread.start()
        url, start = f"http://127.0.0.1:{listener.getsockname()[1]}", time.monotonic()
        with RemoteReader(url, timeout=0.5) as reader, pytest.raises(RemoteError, match=r"within 0\.5 s"):
            reader._ask("POST", "/read", content=bytes(60 * 2**20))
        assert time.monotonic() - start < 2
        stop.set()
        thread.join()


def test_busy_service_is_asked_again():
    with answering(LOADING, LOADING, GOOD) as (url, seen), RemoteReader(url, retries=2) as reader:
        assert reader.read([card()])[0].digits == "42"
        assert len(seen) == 3


def test_busy_service_is_not_asked_for_ever():
    with answering(LOADING) as (url, seen), RemoteReader(url, retries=2) as reader:
        with pytest.raises(RemoteError, match="503: the model is still loading"):
            reader.read([card()])
        assert len(seen) == 3


def test_retry_after_is_waited_for_but_not_for_long(monkeypatch):
    pauses = []
    monkeypatch.setattr(remote.time, "sleep", pauses.append)
    answers = [
        (429, {"Retry-After": wish}, LOADING[2]) for wish in ("2", "86400", "Wed, 21 Oct 2026 07:28:00 GMT")
    ]
    with answering(*answers, GOOD) as (url, _), RemoteReader(url, retries=3) as reader:
        reader.read([card()])
    assert pauses[:2] == [2.0, remote._LONGEST_WAIT]
    assert 0 < pauses[2] < 0.1


@pytest.mark.parametrize("status", [400, 413, 422])
def test_refusal_is_never_tried_again(status):
    refusal = (status, {}, {"error": {"field": "pictures[0]", "problem": "the picture is damaged"}})
    with answering(refusal, GOOD) as (url, seen), RemoteReader(url) as reader:
        with pytest.raises(PictureError, match=r"pictures\[0\]: the picture is damaged"):
            reader.read([card()])
        assert len(seen) == 1


def test_failure_of_the_model_is_not_blamed_on_the_picture(service):
    with RemoteReader(service.url) as reader:
        with pytest.raises(RemoteError, match=r"answered 500.*see the service's log") as caught:
            reader.read([card(666)])
        assert "secret" not in str(caught.value)
        assert reader.read([card(77)])[0].digits == "77"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"<html><body>It works!</body></html>"),
        (404, b"<html>not found</html>"),
        (301, b""),
        (200, b"[1, 2]"),
        (200, b"[" * 100_000),
        (200, {"model_version": "v9"}),
        (200, {"readings": [reading()]}),
        (200, {"model_version": "v9", "readings": [{"digits": "1"}]}),
        (200, {"model_version": "v9", "readings": None}),
        (200, {"model_version": "v9", "readings": [reading(), reading()]}),
        (422, {"detail": "another framework's error"}),
        (404, {"error": "text"}),
    ],
)
def test_wrong_server_is_recognised(status, body):
    with (
        answering((status, {"content-type": "text/html"}, body)) as (url, _),
        RemoteReader(url) as reader,
        pytest.raises(RemoteError, match=f"{url} is not a reader service.*check the URL"),
    ):
        reader.read([card()])


@pytest.mark.parametrize(
    "wrong",
    [
        {"digits": None},
        {"digits": 42},
        {"digits": "4b"},
        {"digits": "٤٢"},
        {"digits": "421"},
        {"confidence": 7},
        {"confidence": -0.1},
        {"confidence": float("nan")},
        {"confidence": float("inf")},
        {"confidence": 10**400},
        {"confidence": "0.5"},
        {"confidence": True},
        {"confidence": None},
        {"digit_confidence": [0.5]},
        {"digit_confidence": [0.5, 10**400]},
        {"digit_confidence": [0.5, float("nan")]},
        {"digit_confidence": "55"},
    ],
)
def test_answer_that_is_no_reading_is_recognised(wrong):
    answer = {"model_version": "v9", "readings": [reading() | wrong]}
    with (
        answering((200, {}, answer)) as (url, _),
        RemoteReader(url) as reader,
        pytest.raises(RemoteError, match=f"{url} is not a reader service.*check the URL"),
    ):
        reader.read([card()])


@pytest.mark.parametrize(
    "wrong",
    [{"model_version": None}, {"max_pictures": 0}, {"max_bytes": float("inf")}, {"max_bytes": "12"}],
)
def test_readiness_without_limits_is_recognised(wrong):
    ready = {"model_version": "v9", "max_pictures": 2, "max_bytes": 1000} | wrong
    with (
        answering((200, {}, ready)) as (url, _),
        RemoteReader(url) as reader,
        pytest.raises(RemoteError, match=f"{url} is not a reader service"),
    ):
        _ = reader.model_version


def test_version_of_the_model_must_be_text():
    answer = (200, {}, {"model_version": ["v9"], "readings": [reading()]})
    with (
        answering(answer) as (url, _),
        RemoteReader(url) as reader,
        pytest.raises(RemoteError, match="is not a reader service"),
    ):
        reader.read([card()])


def test_no_digits_are_a_reading_too():
    answer = (200, {}, {"model_version": "v9", "readings": [reading("") | {"confidence": 1}]})
    with answering(answer) as (url, _), RemoteReader(url) as reader:
        assert reader.read([card()]) == [Reading("", 1.0, (), "v9")]


def test_endless_answer_is_cut(monkeypatch):
    monkeypatch.setattr(remote, "MAX_ANSWER", 1000)
    with (
        answering((200, {}, b" " * 5000)) as (url, _),
        RemoteReader(url) as reader,
        pytest.raises(RemoteError, match="more than 1,000 bytes"),
    ):
        reader.read([card()])


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://host", "", "http://"])
def test_address_without_scheme_is_refused_at_once(url):
    with pytest.raises(ValueError, match=r"looks like http://127\.0\.0\.1:8000"):
        RemoteReader(url)


def test_loopback_needs_no_proxy(service, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    with RemoteReader(service.url, retries=0) as reader:
        assert reader.read([card(88)])[0].digits == "88"


def test_threads_share_one_reader(service):
    wrong = []
    with RemoteReader(service.url) as reader:

        def ask(width):
            for _ in range(5):
                answers = [r.digits for r in reader.read([card(width), card(width + 1)])]
                if answers != [str(width), str(width + 1)]:
                    wrong.append(answers)

        threads = [threading.Thread(target=ask, args=(100 + 10 * i,)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_survives_the_service_being_killed_and_started_again():
    with fake_server() as server, RemoteReader(server.url) as reader:
        assert reader.read([card(50)])[0].digits == "50"
        server.kill()
        with pytest.raises(RemoteError, match="start it with"):
            reader.read([card(50)])
        server.start()
        assert reader.read([card(51)])[0].digits == "51"
