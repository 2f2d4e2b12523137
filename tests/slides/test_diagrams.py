"""Diagrams stand alone as SVG, fit a slide, and are refused where nobody could read them."""

import re
from xml.etree import ElementTree

import pytest
from needs import browser_or_skip

from fsdl_course.slides import diagrams
from fsdl_course.slides.deck import DeckError
from fsdl_deploy.browser.chromium import Chromium
from fsdl_deploy.running import stations


@pytest.fixture(scope="module")
def draw():
    assert stations.station("node").python.exists()  # without it the file is left out
    browser_or_skip()
    with Chromium() as browser:
        yield lambda text: diagrams.draw(browser, text, "the map")


def size(svg):
    return tuple(float(number) for number in re.search(r'width="(\d+)" height="(\d+)"', svg).groups())


def test_a_diagram_is_plain_svg_that_fits_a_slide(draw):
    svg = draw("flowchart LR\n  a[<b>cards</b><br/>in] -- many --> b\n")
    assert "foreignObject" not in svg and "cards" in svg and "&lt;b" not in svg
    ElementTree.fromstring(svg)  # one width, one height: else a browser shows nothing
    wide, high = size(svg)
    assert 100 < wide <= diagrams.WIDEST and high <= diagrams.HIGHEST
    assert size(draw("%% height: 80\nflowchart LR\n  a[cards] --> b\n"))[1] <= 80


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("flowchart LR\n  a -->\n", "the map cannot be drawn"),
        (
            "flowchart LR\n" + "\n".join(f"  node{n} --> node{n + 1}" for n in range(40)),
            "px high, 24 are the least",
        ),
    ],
)
def test_what_cannot_be_drawn_or_read_is_refused(draw, text, problem):
    with pytest.raises(DeckError, match=problem):
        draw(text)
