"""The site of a small course in a real browser: from disk, from a server, on a phone, in the dark.

Needs the stations ``node`` and ``site``: stations.station("site").
"""

import functools
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from needs import browser_or_skip
from small_course import make_course

from fsdl_course.site import look
from fsdl_course.site.build import build
from fsdl_course.site.contents import SiteError
from fsdl_deploy.browser.app_page import AppPage
from fsdl_deploy.browser.chromium import Chromium
from fsdl_deploy.browser.stage import read_alike, some_cards
from fsdl_deploy.running import stations

LESSON = "notebooks/02_batch.html"
SIZES = """() => [...document.querySelectorAll(".diagram img")].map(
  (image) => [image.checkVisibility(), image.naturalWidth])"""


class Quiet(SimpleHTTPRequestHandler):
    """Any web server: files as they are."""

    extensions_map = SimpleHTTPRequestHandler.extensions_map | {
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }

    def log_message(self, *words):
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site; skipped without a browser, but never in CI."""
    browser_or_skip()
    place = tmp_path_factory.mktemp("site")
    build(make_course(place / "course"), place / "html", place / "source", stations.python("site"))
    return place / "html"


@pytest.fixture(scope="module")
def served(site):
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def browser(site):
    with Chromium() as browser:
        yield browser


def opened(context, address: str):
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(address)
    return page


def test_a_page_of_each_kind_pleases_phones_dark_rooms_and_screen_readers(site):
    pages = ["index.html", LESSON, "notebooks/tools/triton.html", "labs/lab00/lab00.html", "search.html"]
    assert set(pages) <= set(look.kinds(site))
    phone_by_day, desk_by_night = look.VIEWS[1], look.VIEWS[2]
    assert list(look.problems(site, pages, (phone_by_day, desk_by_night))) == []


def test_the_look_would_see_what_is_wrong(site, tmp_path):
    (tmp_path / "a.html").write_text(
        '<!doctype html><html lang="en"><title>A</title><main><h1>A</h1><div style="width:3000px">wide</div>'
        '<button></button><img alt="none" src="gone.png"><script src="https://cdn.invalid/x.js"></script>'
    )
    text = "\n".join(look.problems(tmp_path, ["a.html"], look.VIEWS[:1]))
    for sign in ("scrolls sideways", "button-name", "gone.png is not shown", "asks https://cdn.invalid/x.js"):
        assert sign in text


def test_the_first_page_reads_fifty_cards_as_onnx_runtime_does(served, browser):
    def start(context):
        asked = []
        context.on("request", lambda request: asked.append(request.url))
        page = opened(context, served)
        page.keyboard.press("Tab")
        page.focus("#start-reader")
        page.keyboard.press("Enter")
        frame = page.wait_for_selector("#reader iframe").content_frame()
        frame.wait_for_selector("#read:enabled")
        return page, frame, asked

    _, frame, asked = browser(start)

    class Framed(AppPage):
        """The app inside the first page."""

        def run(self, script, argument=None):
            return self.browser(lambda _: frame.evaluate(script, argument))

    cards = some_cards(50)
    assert read_alike(Framed(browser, served), "v2", cards) == len(cards)
    assert all(url.startswith((served, "blob:", "data:")) for url in asked)
    assert any(url.endswith(".wasm") for url in asked)


def test_from_disk_one_sentence_stands_in_the_readers_place(site, browser):
    def look_at(context):
        page = opened(context, (site / "index.html").as_uri())
        return page.is_visible("#start-reader"), page.inner_text(".reader-needs")

    visible, sentence = browser(look_at)
    assert not visible and "fsdl-deploy edge app" in sentence


def test_search_and_diagrams_work_from_disk(site, browser):
    def look_at(context):
        page = opened(context, f"{(site / 'search.html').as_uri()}?q=zebra")
        page.wait_for_selector("#search-results li a")
        links = [link.get_attribute("href") for link in page.query_selector_all("#search-results li a")]
        page.goto((site / LESSON).as_uri())
        return links, page.evaluate(SIZES)

    links, sizes = browser(look_at)
    assert len(links) == 1 and LESSON in links[0]
    assert [visible for visible, _ in sizes] == [True, False] and sizes[0][1] > 50


def test_the_dark_page_shows_the_dark_diagram(site):
    with Chromium(color_scheme="dark") as browser:

        def look_at(context):
            page = opened(context, (site / LESSON).as_uri())
            visible_ones = [image.is_visible() for image in page.query_selector_all(".diagram img")]
            return visible_ones, page.evaluate("getComputedStyle(document.body).backgroundColor")

        visible, background = browser(look_at)
    assert visible == [False, True]
    assert max(map(int, background.removeprefix("rgb(").removesuffix(")").split(","))) < 60


def test_a_dollar_is_a_price_and_an_answer_unfolds(site, browser):
    def look_at(context):
        page = opened(context, (site / LESSON).as_uri())
        folded = page.locator("details").bounding_box()["height"]
        page.click("summary")
        return page.inner_text("main"), folded, page.locator("details").bounding_box()["height"]

    text, folded, unfolded = browser(look_at)
    assert "A price of $5 and one of $6." in text and unfolded > folded + 10
    assert "not set" not in text


@pytest.mark.thorough
def test_what_sphinx_warns_of_stops_the_build(site, tmp_path):
    root = make_course(tmp_path / "course")
    (root / "models/v2.md").write_text("# Model card: v2\n\n[Nothing](#no-such-heading)\n")
    with pytest.raises(SiteError, match="no-such-heading"):
        build(root, tmp_path / "html", tmp_path / "source", stations.python("site"))
