"""The contract of a deck's source: sums of minutes, notes, pictures' texts, figures from records, live links.

Each rule yields sentences; ``problems`` puts the deck and the slide before them. Figures are judged as in the
notebooks (``notebooks.rules_figures``), and one rule more: a plain number above twenty is a figure too.
Knows nothing of how a slide looks.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from fsdl_course.claims import plain
from fsdl_course.notebooks import quoting, rules_figures
from fsdl_course.slides.deck import FOLDER, Deck, Slide

LEAST, MOST = 8, 18  # slides of a deck
COUNTED = 20  # up to here a whole number without a unit counts things that the slide shows
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
QUOTED = re.compile(r"^> *“([^”]+)”", re.MULTILINE)
SIZES = re.compile(r"^(?:(?:w|h|width|height):\d+(?:px)?|\s)+")
PLAIN = re.compile(
    r"(?<![\w.,:/#-])(?!(?:19|20)\d\d(?!\d))\d+(?:,\d{3})*(?![\w:/-]|[.,]\d)"
)  # years are none
NEVER_SEEN = re.compile(r"<!--.*?-->|</?\w[^>]*>", re.DOTALL)


def problems(deck: Deck, root: Path) -> Iterator[str]:
    """What is wrong with a deck, a sentence each."""
    slides = deck.slides()
    if not LEAST <= len(slides) <= MOST:
        yield f"{deck.name}: {len(slides)} slides; a deck has {LEAST} to {MOST}"
    spoken = sum(minutes for slide in slides for minutes, _ in slide.notes)
    if spoken != deck.minutes:
        yield f"{deck.name}: the notes' minutes add up to {spoken}, the front matter says {deck.minutes}"
    if not (root / "notebooks" / "source" / f"{deck.front['lesson']}.py").is_file():
        yield f"{deck.name}: there is no lesson {deck.front['lesson']}"
    for slide in slides:
        for problem in (*_notes(slide), *_pictures(slide), *_figures(slide), *_links(slide, root)):
            yield f"{deck.name}, slide {slide.number}: {problem}"


def misquoted(deck: Deck, lecture: Path) -> Iterator[str]:
    """Quotations of a deck that neither notes.md nor slides.txt in ``lecture`` has."""
    texts = [plain((lecture / name).read_text(encoding="utf-8")) for name in ("notes.md", "slides.txt")]
    for slide in deck.slides():
        for words in QUOTED.findall(slide.text):
            if not any(_bare(words) in _bare(text) for text in texts):
                yield f"{deck.name}, slide {slide.number}: the lecture does not say {words!r}"


def _bare(text: str) -> str:
    """Its words alone: lists of the slides have lost their line ends, and dashes differ."""
    return " ".join(
        re.findall(r"[\w%$+'-]*\w[\w%$+'-]*", plain(text).lower().replace("’", "'").replace("—", " "))
    )


def _notes(slide: Slide) -> Iterator[str]:
    if not slide.title:
        yield "it has no heading"
    if len(slide.notes) != 1 or not slide.notes[0][0]:
        yield "one comment has the speaker's notes and begins with its minutes: <!-- 3 minutes. … -->"
        return
    if len(slide.notes[0][1].split()) < 6:
        yield "its notes say next to nothing: what does the speaker tell here?"


def _pictures(slide: Slide) -> Iterator[str]:
    text = re.sub(r"^```mermaid +(\S.*)$", r"![\1](diagram)", slide.text, flags=re.MULTILINE)
    if re.search(r"^```mermaid *$", text, re.MULTILINE):
        yield "say what the diagram shows, on the line that opens it: ```mermaid Words"
    for sign, alt, address in LINK.findall(text):
        if sign and len(SIZES.sub("", alt).split()) < 5:
            yield f"say in the text of the picture {address} what it shows: {alt!r} is too little"
    if "<img" in slide.text:
        yield "a picture is written ![what it shows](chart/name.svg), not as <img>"


def _figures(slide: Slide) -> Iterator[str]:
    notes = "\n".join(words for _, words in slide.notes)
    pictures = "\n".join(SIZES.sub("", alt) for sign, alt, _ in LINK.findall(slide.text) if sign)
    visible = LINK.sub(lambda link: "" if link[1] else link[0], NEVER_SEEN.sub(" ", slide.text))
    for text in (visible, pictures, notes):
        text = quoting.WANTED.sub(" ¤ ", text)
        if measured := list(rules_figures.bare(text)):
            yield from measured
            continue
        for number in PLAIN.findall(rules_figures.without_allowed(text)):
            if int(number.replace(",", "")) > COUNTED:
                yield f"the number {number} stands bare: {rules_figures.WHAT_TO_DO}"


def _links(slide: Slide, root: Path) -> Iterator[str]:
    for sign, _, address in LINK.findall(slide.text):
        place = address.partition("#")[0]
        if sign:
            if not re.fullmatch(r"(chart|diagram)/[\w-]+\.svg", address):
                yield f"the picture {address} is neither chart/NAME.svg nor diagram/LESSON.svg"
        elif re.match(r"[a-z][a-z0-9+.-]*:", address):
            if not address.startswith("https://"):
                yield f"the link {address} does not begin with https://"
        elif not place or not (root / FOLDER / place).resolve().exists():
            yield f"the link {address} leads nowhere: it starts from {FOLDER}/"
