"""A page is looked at as a class sees it: each fault put on a slide is seen, and a good slide has none."""

import pytest
from needs import browser_or_skip

from fsdl_course.slides import looking
from fsdl_deploy.browser.chromium import Chromium
from fsdl_deploy.paths import ROOT

THEME = (ROOT / "slides" / "fsdl.css").read_text(encoding="utf-8")
PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><style>{theme}
@page {{ size: 1280px 720px; margin: 0 }} body {{ margin: 0 }} svg {{ display: block }}
.bespoke-marp-note {{ display: none }}</style></head><body>
{slides}</body></html>"""
SLIDE = """<svg viewBox="0 0 1280 720" width="1280" height="720"><foreignObject width="1280" height="720">
<section id="{number}" data-marpit-pagination="{number}">{content}<footer>01</footer></section>
</foreignObject></svg>
<div class="bespoke-marp-note" data-index="{index}"><p>{note}</p></div>"""
DOT = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
GOOD = (
    f'<h1>A slide</h1><p>Words and <a href="../x.ipynb">a link</a></p><img src="{DOT}" alt="a dot" width="9">'
)
FAULTS = {
    "too much text": ("<p>words</p>" * 20, "beyond the slide's margins"),
    "too wide": ('<div style="width: 1400px">words</div>', "beyond the slide's margins"),
    "shifted out": (
        '<p style="position: absolute; left: -90px; top: 9px">words</p>',
        "beyond the slide's margins",
    ),
    "cut off": ('<p style="height: 20px; overflow: hidden">words<br>words<br>words</p>', "is cut off"),
    "low contrast": ('<p style="color: #8a949c">words</p>', "a contrast of 3.1"),
    "low contrast on a colour": (
        '<p style="background: #0072b2; color: #1c2733">words</p>',
        "a contrast of 2.9",
    ),
    "small type": ('<p style="font-size: 20px">words</p>', "is 20 px high, 24 are the least"),
    "a picture without text": (f'<img src="{DOT}" width="9">', "a picture has no text"),
    "a picture that is not there": ('<img src="gone.svg" alt="gone" width="90" height="90">', "is not there"),
}


@pytest.fixture(scope="module")
def chromium():
    browser_or_skip()
    with Chromium(viewport=looking.SIZE) as browser:
        yield browser


def page(folder, *contents, note="what the speaker says"):
    slides = [
        SLIDE.format(number=index + 1, index=index, content=content, note=note)
        for index, content in enumerate(contents)
    ]
    path = folder / "deck.html"
    path.write_text(PAGE.format(theme=THEME, slides="\n".join(slides)), encoding="utf-8")
    return path


def test_a_good_deck_is_seen_as_good_and_printed(chromium, tmp_path):
    pdf = tmp_path / "deck.pdf"
    seen = looking.look(chromium, page(tmp_path, GOOD, GOOD, GOOD), pdf)
    assert (seen.slides, seen.problems, seen.requests) == (3, [], [])
    content = pdf.read_bytes()
    assert content.startswith(b"%PDF") and looking.pages(pdf) == 3
    assert str(tmp_path).encode() not in content  # no link into a folder of the machine that printed it


@pytest.mark.parametrize(("content", "problem"), FAULTS.values(), ids=FAULTS)
def test_each_fault_is_seen_on_its_slide(chromium, tmp_path, content, problem):
    seen = looking.look(chromium, page(tmp_path, GOOD, f"<h1>Two</h1>{content}"))
    assert seen.problems and all(sentence.startswith("slide 2: ") for sentence in seen.problems)
    assert any(problem in sentence for sentence in seen.problems)


def test_lost_notes_are_seen(chromium, tmp_path):
    assert looking.look(chromium, page(tmp_path, GOOD, note=" ")).problems == [
        "slide 1: its notes are not on the page"
    ]


def test_requests_outside_are_seen(chromium, tmp_path):
    seen = looking.look(chromium, page(tmp_path, f'{GOOD}<script src="http://127.0.0.1:9/x.js"></script>'))
    assert seen.requests == ["http://127.0.0.1:9/x.js"]


def test_a_pdf_with_other_pages_is_seen(chromium, tmp_path):
    path = page(tmp_path, GOOD)
    path.write_text(
        path.read_text(encoding="utf-8").replace("display: none", "display: block"), encoding="utf-8"
    )
    assert looking.look(chromium, path, tmp_path / "deck.pdf").problems == [
        "the PDF has 2 pages, the deck 1 slides"
    ]
