"""Diagrams as SVG: Mermaid's text drawn once, in Chromium, as a picture that stands alone.

Labels are plain SVG text: what Mermaid writes as HTML inside an SVG is not shown by an ``<img>``. Knows
nothing of decks.
"""

import re
from pathlib import Path

from fsdl_course.slides.deck import DeckError
from fsdl_deploy.browser.chromium import Chromium
from fsdl_deploy.figures import PALETTE

LETTERS = 24  # pixels, before the diagram is made to fit
WIDEST, HIGHEST, LARGEST = 1150, 455, 1.35
SMALLEST = 17  # pixels of a letter that is still read from the last row
DRAW = """async text => {
  mermaid.initialize({startOnLoad: false, htmlLabels: false, deterministicIds: true, theme: "base",
    flowchart: {htmlLabels: false, nodeSpacing: 34, rankSpacing: 44, padding: 14, wrappingWidth: 420},
    themeVariables: SETTINGS});
  return (await mermaid.render("diagram", text)).svg }"""
SETTINGS = {
    "fontSize": f"{LETTERS}px",
    "fontFamily": "DejaVu Sans, Verdana, sans-serif",
    "primaryColor": "#eaf3f9",
    "primaryBorderColor": PALETTE[0],
    "primaryTextColor": "#1c2733",
    "lineColor": PALETTE[6],
    "clusterBkg": "#f7f9fb",
    "clusterBorder": "#9bb3c4",
    "edgeLabelBackground": "#ffffff",
}


def draw(browser: Chromium, script: Path, text: str, name: str = "a diagram") -> str:
    """Mermaid's ``text`` as SVG with a width and a height that fit a slide.

    DeckError where the text is no diagram, or where its letters would be too small to read.
    """
    height, text = _height(re.sub("</?b>", "", text))  # no HTML in a label, see above; <br/> Mermaid knows
    try:
        svg = browser(_render, script, text)
    except Exception as error:  # Mermaid's own, by way of the page
        raise DeckError(f"{name} cannot be drawn: {str(error).splitlines()[0]}") from None
    box = re.search(r'viewBox="[-\d.]+ [-\d.]+ ([\d.]+) ([\d.]+)"', svg)
    wide, high = float(box[1]), float(box[2])
    scale = min(WIDEST / wide, height / high, LARGEST)
    if LETTERS * scale < SMALLEST:
        raise DeckError(
            f"{name}: its letters would be {LETTERS * scale:.0f} px high, {SMALLEST} are the least: "
            "draw less in it, or the other way round (LR, TD)"
        )
    size = f'width="{wide * scale:.0f}" height="{high * scale:.0f}"'
    svg = re.sub(r'(<svg\b[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg\b[^>]*?) style="[^"]*"', r"\1", svg, count=1)
    return svg.replace("<svg ", f"<svg {size} ", 1)


def _height(text: str) -> tuple[float, str]:
    """``%% height: 300`` on the first line: how high it may be."""
    match = re.match(r"%% height: (\d+)\n", text)
    return (float(match[1]), text[match.end() :]) if match else (HIGHEST, text)


def _render(context, script: Path, text: str) -> str:
    import json

    page = context.new_page()
    try:
        page.add_script_tag(path=script)
        return page.evaluate(DRAW.replace("SETTINGS", json.dumps(SETTINGS)), text)
    finally:
        page.close()
