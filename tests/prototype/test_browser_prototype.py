"""A real browser on the Gradio page: a number is drawn with the mouse, a card is uploaded."""

import re
from itertools import pairwise

import pytest

from fsdl_deploy.cards import cards
from fsdl_deploy.paths import ROOT
from fsdl_deploy.picture import encode
from fsdl_deploy.reader import open_reader
from fsdl_deploy.running.course_servers import course_server
from fsdl_deploy.running.ports import free_port
from fsdl_deploy.running.servers import Server

SCREENSHOTS = ROOT / "build" / "screenshots"

# Strokes of handwritten digits in a box of 60 × 100, as a person moves the mouse.
STROKES = {
    "1": [[(38, 0), (34, 50), (30, 100)]],
    "2": [[(5, 25), (12, 8), (30, 0), (48, 8), (52, 28), (42, 50), (22, 75), (4, 96), (30, 97), (58, 96)]],
    "4": [[(20, 0), (14, 30), (6, 58), (30, 60), (58, 56)], [(44, 18), (42, 60), (39, 100)]],
    "7": [[(4, 4), (30, 5), (56, 3), (44, 35), (32, 68), (24, 100)]],
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The prototype as a user starts it; its uploads and its feedback go to a temporary folder."""
    folder = tmp_path_factory.mktemp("prototype")
    with start(folder) as server:
        server.folder = folder
        yield server


def start(folder, *more) -> Server:
    options = ["--feedback", folder / "feedback", *more]
    return course_server("prototype", *options, env={"GRADIO_TEMP_DIR": str(folder / "uploads")}, timeout=120)


@pytest.fixture
def page(browser, server):
    yield from opened(browser, server)


def opened(browser, server):
    """The page, ready to draw on; afterwards it must have asked nobody but its own server for anything."""
    context = browser.new_context(viewport={"width": 1100, "height": 640})
    page = context.new_page()
    page.set_default_timeout(120_000)
    asked, complaints = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(server.url)
    yield page
    context.close()
    own = (server.url, "data:", "blob:")
    assert asked and [url for url in asked if not url.startswith(own)] == []
    assert complaints == []


def draw(page, number: str, height: float, left: float = 40, top: float = 40) -> None:
    """Write ``number`` on the sketchpad with the mouse; its digits are ``height`` pixels high."""
    page.locator("#sketch button.quite-round.highlight").wait_for()  # the pen is in the hand
    canvas = page.locator("#sketch canvas").first
    canvas.scroll_into_view_if_needed()  # waits until the page no longer moves it
    box = canvas.bounding_box()
    scale = height / 100
    for place, digit in enumerate(number):
        for stroke in STROKES[digit]:
            points = [
                (box["x"] + left + scale * (x + 85 * place), box["y"] + top + scale * y) for x, y in stroke
            ]
            page.mouse.move(*points[0])
            page.mouse.down()
            for _, (x, y) in pairwise(points):
                page.mouse.move(x, y)
            page.mouse.up()


def press(page, name: str) -> None:
    """Press a button and wait for the answer to it: the old one carries a mark, and a new one does not."""
    mark = "document.querySelectorAll('#answer .digits, #answer .note').forEach(old => old.dataset.old = 1)"
    page.evaluate(mark)
    page.get_by_role("button", name=name).click()
    page.locator("#answer .digits:not([data-old]), #answer .note:not([data-old])").wait_for()


def reading(page) -> str:
    digits = page.locator("#answer .digits")
    return digits.get_attribute("aria-label") if digits.count() else ""


def shoot(page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


def test_numbers_drawn_with_the_mouse_are_read_and_a_cleared_sketchpad_is_empty(page):
    draw(page, "1742", 110, 60, 80)
    press(page, "Read what I wrote")
    shoot(page, "prototype-drawn-1742")
    assert reading(page) == "1742"
    assert re.search(r"model v2 · read in [\d.]+ ms", page.locator("#answer").inner_text())

    page.get_by_role("button", name="Clear canvas").click()
    press(page, "Read what I wrote")
    assert "sketchpad is empty" in page.locator("#answer").inner_text()

    draw(page, "4217", 55, 200, 150)
    press(page, "Read what I wrote")
    shoot(page, "prototype-drawn-4217")
    assert reading(page) == "4217"


def test_uploaded_card_is_read_and_called_wrong(page, server, tmp_path):
    card = next(iter(cards(1, level="clean", split="test", seed=5)))
    (tmp_path / "card.png").write_bytes(encode(card.image))
    page.get_by_role("tab", name="Upload").click()
    page.locator("#upload input[type=file]").set_input_files(tmp_path / "card.png")
    page.locator("#upload img").wait_for()
    press(page, "Read this picture")
    assert reading(page) == open_reader().read([card.image])[0].digits == card.truth
    page.locator("#says textarea, #says input").fill("it says 99999")
    page.get_by_role("button", name="This is wrong").click()
    page.get_by_text("Thank you").wait_for()
    shoot(page, "prototype-uploaded")
    assert "it says 99999" in (server.folder / "feedback" / "feedback.jsonl").read_text()


def test_file_that_is_no_picture_is_refused_and_the_page_goes_on(page, tmp_path):
    (tmp_path / "card.png").write_text("I am not a picture")
    page.get_by_role("tab", name="Upload").click()
    page.locator("#upload input[type=file]").set_input_files(tmp_path / "card.png")
    press(page, "Read this picture")
    shoot(page, "prototype-refused")
    assert "not a picture in one of the formats" in page.locator("#answer").inner_text()

    page.locator(".gallery button, button.gallery-item").first.click()  # an example is read by one click
    page.locator("#answer .digit").first.wait_for()
    shoot(page, "prototype-example")
    assert len(reading(page)) >= 4

    page.get_by_role("tab", name="Write").click()
    draw(page, "17", 100, 60, 80)
    press(page, "Read what I wrote")
    shoot(page, "prototype-drawn-17")
    assert reading(page) == "17"


@pytest.mark.thorough
def test_page_over_a_service_that_is_down_says_so_and_recovers(browser, tmp_path):
    """Moving to model-as-service is one argument; the page outlives the service."""
    service = course_server("serve", port=free_port(), timeout=120)
    with start(tmp_path, "--url", service.url) as server:
        pages = opened(browser, server)
        page = next(pages)
        draw(page, "17", 100, 60, 80)
        press(page, "Read what I wrote")
        shoot(page, "prototype-service-down")
        assert "The model service does not answer" in page.locator("#answer").inner_text()
        with service:
            press(page, "Read what I wrote")
            assert reading(page) == "17"
        next(pages, None)
