"""Diagrams on a slide: Mermaid's drawing with a slide's letters and colours, and made to fit

What draws is ``fsdl_course.diagrams``, as for the site. Knows nothing of decks.
"""

import re

from fsdl_course import diagrams
from fsdl_course.slides.deck import DeckError
from fsdl_deploy.browser.chromium import Chromium
from fsdl_deploy.figures import PALETTE

LETTERS = 24  # pixels, before the diagram is made to fit
WIDEST, HIGHEST, LARGEST = 1150, 455, 1.35
SMALLEST = 24  # pixels of a letter, as of all that is read on a slide: it is read from the last row
LOOK = {
    "flowchart": {
        "htmlLabels": False,
        "useMaxWidth": False,
        "nodeSpacing": 34,
        "rankSpacing": 44,
        "padding": 14,
        "wrappingWidth": 420,
    },
    "themeVariables": {
        "fontSize": f"{LETTERS}px",
        "fontFamily": diagrams.FONT,
        "primaryColor": "#eaf3f9",
        "primaryBorderColor": PALETTE[0],
        "primaryTextColor": "#1c2733",
        "lineColor": PALETTE[6],
        "clusterBkg": "#f7f9fb",
        "clusterBorder": "#9bb3c4",
        "edgeLabelBackground": "#ffffff",
    },
}


def draw(browser: Chromium, text: str, name: str = "a diagram") -> str:
    """Mermaid's ``text`` as SVG with a width and a height that fit a slide.

    DeckError where the text is no diagram, or where its letters would be too small to read; NotBuilt without
    the station ``node``.
    """
    height, text = _height(text)
    try:
        diagram = diagrams.draw([text], "base", look=LOOK, browser=browser)[text]
    except diagrams.DiagramError as error:
        raise DeckError(f"{name} cannot be drawn: {error}") from None
    wide, high = diagram.size
    scale = min(WIDEST / wide, height / high, LARGEST)
    if LETTERS * scale < SMALLEST:
        raise DeckError(
            f"{name}: its letters would be {LETTERS * scale:.0f} px high, {SMALLEST} are the least: "
            "draw less in it, or the other way round (LR, TD)"
        )
    size = f'width="{wide * scale:.0f}" height="{high * scale:.0f}"'
    head, rest = diagram.svg.split(">", 1)
    head = re.sub(r' (?:width|height|style)="[^"]*"', "", head)
    return f"{head} {size}>{rest}"


def _height(text: str) -> tuple[float, str]:
    """``%% height: 300`` on the first line: how high it may be."""
    match = re.match(r"%% height: (\d+)\n", text)
    return (float(match[1]), text[match.end() :]) if match else (HIGHEST, text)
