"""Looking at a deck in Chromium, as a class sees it: overflow, contrast, small type, lost notes, requests.

The page is laid out as for printing, where every slide has its 1280 × 720 pixels, so one load shows them all,
and the PDF is printed from the same page. Knows nothing of sources or records.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from fsdl_deploy.browser.chromium import Chromium

SIZE = {"width": 1280, "height": 720}
SMALLEST = 24  # pixels of all that is read; footers and page numbers may have 18
CONTRAST = 4.5  # W3C, Web Content Accessibility Guidelines 2.2, 1.4.3
LOOK = (Path(__file__).parent / "looking.js").read_text
SECONDS = 60


@dataclass
class SeenDeck:
    """What the browser saw of one deck: how many slides, what is wrong with them, and what was asked for."""

    slides: int = 0
    problems: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


def look(browser: Chromium, page: Path, pdf: Path | None = None) -> SeenDeck:
    """Open a deck's page and look at each slide; ``pdf``: where to print it."""
    return browser(_look, page, pdf)


def pages(pdf: Path) -> int:
    """How many pages a PDF of Chromium's has."""
    return len(re.findall(rb"/Type /Page\b(?!s)", pdf.read_bytes()))


def _look(context, path: Path, pdf: Path | None) -> SeenDeck:
    seen = SeenDeck()
    page = context.new_page()
    page.set_default_timeout(1000 * SECONDS)
    page.on("request", lambda request: _note_request(seen, request.url, path))
    page.on("pageerror", lambda error: seen.problems.append(f"a script of the page failed: {error}"))
    try:
        page.emulate_media(media="print")
        page.goto(path.as_uri(), wait_until="load")
        settings = {"smallest": SMALLEST, "contrast": CONTRAST}
        answer = page.evaluate(LOOK(encoding="utf-8"), settings)
        seen.slides = answer["slides"]
        seen.problems += answer["problems"]
        if pdf:
            page.evaluate("""() => document.querySelectorAll('a[href]').forEach(link => {
              if (!/^https:/.test(link.getAttribute('href'))) link.removeAttribute('href') })""")
            page.pdf(path=pdf, prefer_css_page_size=True, print_background=True, outline=True, tagged=True)
            if (printed := pages(pdf)) != seen.slides:
                seen.problems.append(f"the PDF has {printed} pages, the deck {seen.slides} slides")
    finally:
        page.close()
    return seen


def _note_request(seen: SeenDeck, url: str, path: Path) -> None:
    if url not in (path.as_uri(), "about:blank") and not url.startswith(("data:", "blob:")):
        seen.requests.append(url)
