"""The prototype: its answers as HTML, its API, feedback, and what users see when something is wrong."""

import json
import re
import socket
import threading

import httpx2
import numpy as np
import pytest

from fsdl_deploy import cli
from fsdl_deploy.picture import decode, encode
from fsdl_deploy.prototype import gradio_page
from fsdl_deploy.reading import Reading
from fsdl_deploy.remote import RemoteError
from fsdl_deploy.running.course_servers import course_server
from fsdl_deploy.running.ports import free_port

CARD = np.full((64, 200), 240, np.uint8)
CARD[20:50, 40:46] = CARD[20:50, 100:106] = 20


class Fake:
    """Reads one digit for each ten columns of ink, so that answers depend on the picture."""

    model_version = "fake"

    def __init__(self):
        self.problem, self.seen = None, []

    def read(self, images):
        if self.problem:
            raise self.problem
        self.seen += images
        digits = "".join(str(round((image < 128).any(0).mean() * 100) % 10) for image in images)
        return [Reading(digits, 0.5, (0.5,), "fake") for _ in images]


@pytest.fixture(scope="module")
def reader():
    return Fake()


@pytest.fixture(scope="module")
def page(reader, tmp_path_factory):
    folder = tmp_path_factory.mktemp("prototype")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(folder / "uploads"))
        page = gradio_page.build(reader, examples=[CARD], feedback=folder / "feedback")
        page.feedback = folder / "feedback"
        yield page
        page.close(verbose=False)


@pytest.fixture(scope="module")
def client(page):
    from gradio_client import Client

    with gradio_page.running(page) as url:
        yield Client(url, verbose=False)


@pytest.fixture
def upload(tmp_path):
    def upload(data: bytes, name="card.png"):
        from gradio_client import handle_file

        (tmp_path / name).write_bytes(data)
        return handle_file(str(tmp_path / name))

    return upload


def function(page, name):
    """One of the page's own functions, by its name, as a click calls it."""
    return next(step.fn for step in page.fns.values() if step.fn is not None and step.fn.__name__ == name)


def test_answer_shows_each_digit_with_its_confidence_version_and_latency():
    page = gradio_page.answer(Reading("042", 0.912, (0.99, 0.95, 0.4), "v<2>"), 3.21)
    assert re.findall(r'class="digit">(\d)<meter[^>]*value="([\d.]+)"', page) == [
        ("0", "0.9900"),
        ("4", "0.9500"),
        ("2", "0.4000"),
    ]
    assert "91.2%" in page and "v&lt;2&gt;" in page and "3.2 ms" in page and "<2>" not in page


@pytest.mark.parametrize("confidence, word", [(0.95, ", sure"), (0.7, "not quite sure"), (0.2, "guessing")])
def test_confidence_is_put_in_words(confidence, word):
    assert word in gradio_page.answer(Reading("1", confidence, (confidence,), "v"), 1)


def test_no_digits_is_a_sentence_and_notes_are_escaped():
    assert "No digits" in gradio_page.answer(Reading("", 1.0, (), "v2"), 1)
    assert gradio_page.note("<script>") == '<div class="note" role="status">&lt;script&gt;</div>'


def test_api_answers_with_the_reading_of_the_very_picture(client, reader, upload):
    answer = client.predict(upload(encode(CARD)), api_name="/read")
    assert set(answer) == {"digits", "confidence", "digit_confidence", "model_version", "milliseconds"}
    assert answer["digits"] == Fake().read([CARD])[0].digits and answer["model_version"] == "fake"
    assert np.array_equal(reader.seen[-1], CARD)
    assert 0 <= answer["milliseconds"] < 60_000


@pytest.mark.parametrize(
    "data, problem",
    [(b"", "0 bytes"), (b"no picture", "not a picture"), (encode(CARD)[:60], "damaged")],
    ids=["empty", "text", "cut"],
)
def test_api_names_what_is_wrong_with_a_picture_and_goes_on(client, upload, data, problem):
    from gradio_client.exceptions import AppError

    with pytest.raises(AppError, match=problem):
        client.predict(upload(data), api_name="/read")
    assert client.predict(upload(encode(CARD)), api_name="/read")["model_version"] == "fake"


def test_api_shows_only_the_reading(client):
    endpoints = client.view_api(return_format="dict")["named_endpoints"]
    assert list(endpoints) == ["/read"]


def test_service_that_is_down_is_a_sentence_and_the_page_recovers(page, reader, tmp_path):
    path = tmp_path / "card.png"
    path.write_bytes(encode(CARD))
    show = function(page, "show_upload")
    reader.problem = RemoteError("no service at http://127.0.0.1:1")
    try:
        answer, last = show(str(path))
    finally:
        reader.problem = None
    assert "The model service does not answer" in answer and last is None
    answer, (image, reading) = show(str(path))
    assert 'class="digit"' in answer and np.array_equal(image, CARD) and reading.model_version == "fake"


def test_empty_sketch_and_missing_upload_ask_for_one(page):
    assert "sketchpad is empty" in function(page, "show_sketch")(None)[0]
    assert "upload one first" in function(page, "show_upload")(None)[0]


def test_wrong_button_keeps_picture_and_words(page):
    wrong, reading = function(page, "wrong"), Reading("11", 0.5, (0.5, 0.5), "fake")
    thanks, field = wrong((CARD, reading), "  it says 17\n" + "x" * 500)
    assert "Thank you" in thanks and field == ""
    wrong((CARD, reading), "")
    lines = [json.loads(line) for line in (page.feedback / "feedback.jsonl").read_text().splitlines()]
    assert [line["says"] for line in lines] == [("it says 17\n" + "x" * 500)[:200], ""]
    assert {line["read"] for line in lines} == {"11"} and {line["model_version"] for line in lines} == {
        "fake"
    }
    assert np.array_equal(decode((page.feedback / lines[0]["picture"]).read_bytes()), CARD)


def test_wrong_button_before_any_reading_keeps_the_words_and_asks_to_read_first(page):
    before = sorted(page.feedback.glob("*"))
    thanks, field = function(page, "wrong")(None, "17")
    assert "Read a picture first" in thanks and field == "17"
    assert sorted(page.feedback.glob("*")) == before


def test_launch_stays_on_loopback_and_frees_its_port(reader):
    page = gradio_page.build(reader, examples=[CARD])
    with gradio_page.running(page) as url:
        assert url.startswith("http://127.0.0.1:")
        html = httpx2.get(url).text
        assert "Meter reader" in html
        # The only addresses of others are what a crawler or the API page would show, never a resource.
        assert not re.search(r'<(?:script|link)[^>]+(?:src|href)="https?://(?!127\.0\.0\.1)', html)
        port = int(url.rsplit(":", 1)[1])
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", port))


def test_command_serves_until_it_is_stopped(tmp_path, monkeypatch):
    """The whole command against a URL where nobody answers: the page stands all the same."""
    options = ["--url", f"http://127.0.0.1:{free_port()}", "--feedback", tmp_path]
    settings = {"cwd": tmp_path, "env": {"GRADIO_TEMP_DIR": str(tmp_path / "u")}}
    with course_server("prototype", *options, **settings) as server:
        from gradio_client import Client, handle_file
        from gradio_client.exceptions import AppError

        (tmp_path / "card.png").write_bytes(encode(CARD))
        with pytest.raises(AppError, match=r"No service at .* start it with"):
            Client(server.url, verbose=False).predict(
                handle_file(str(tmp_path / "card.png")), api_name="/read"
            )
        assert f"The meter reader is at {server.url}" in server.log()


def test_command_refuses_a_version_that_does_not_exist(capsys):
    assert cli.main(["prototype", "--version", "v99"]) == 1
    assert "v99" in capsys.readouterr().err


def test_building_a_page_starts_no_thread_and_no_server(reader):
    before = threading.active_count()
    gradio_page.build(reader, examples=[CARD])
    assert threading.active_count() <= before
