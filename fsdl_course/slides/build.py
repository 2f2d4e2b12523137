"""``make slides``: the decks of ``slides/`` as HTML and PDF in ``build/slides``, each looked at in Chromium.

A page holds its pictures itself and asks for nothing outside. Links to files of the repository are written
from ``build/slides``. What a deck says, its rules and its charts are known elsewhere.
"""

import argparse
import base64
import os
import re
import shutil
import sys
import time
from functools import partial
from pathlib import Path

from fsdl_course.setup.stations import ensure
from fsdl_course.slides import charts, diagrams, filling, lesson_runs, looking, marp, rules
from fsdl_course.slides.deck import FOLDER, Deck, DeckError, decks, read
from fsdl_course.slides.looking import SeenDeck
from fsdl_deploy.browser.chromium import Chromium, NoBrowser
from fsdl_deploy.paths import ROOT
from fsdl_deploy.running.stations import StationError

BUILT = Path("build") / "slides"
PICTURES = "img"
IMAGE = re.compile(r'(<img\b[^>]*\bsrc=")(img/[\w.-]+\.svg)(")')
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\((?![a-z]+:|#)([^)\s]+)\)")


def build(root: Path, names: tuple[str, ...] = (), pdf: bool = True) -> dict[str, SeenDeck]:
    """Build the decks called ``names`` (default: all); return what the browser saw of each.

    DeckError for a deck that cannot be built, NoBrowser and StationError where a program is missing.
    """
    chosen = [read(path) for path in decks(root, names)]
    folder = root / BUILT
    sources = folder / "source"
    shutil.rmtree(sources, ignore_errors=True)
    (sources / PICTURES).mkdir(parents=True)
    ensure("node")  # it has Mermaid
    with Chromium(viewport=looking.SIZE) as browser:
        for deck in chosen:
            text = _filled(deck, root, sources, browser)
            (sources / f"{deck.name}.md").write_text(text, encoding="utf-8")
        marp.to_html(sources, root / FOLDER / "fsdl.css", folder)
        seen = {}
        for deck in chosen:
            page = folder / f"{deck.name}.html"
            _embed(page, sources)
            seen[deck.name] = looking.look(browser, page, page.with_suffix(".pdf") if pdf else None)
            if seen[deck.name].slides != len(deck.slides()):
                counted = f"{seen[deck.name].slides} slides on the page, {len(deck.slides())} in the source"
                seen[deck.name].problems.append(counted)
    shutil.rmtree(sources)
    return seen


def _filled(deck: Deck, root: Path, sources: Path, browser: Chromium) -> str:
    """The deck as Marp reads it, with its pictures written beside it."""

    def keep(name: str, svg: str) -> str:
        (sources / PICTURES / name).write_text(svg, encoding="utf-8")
        return f"{PICTURES}/{name}"

    def chart(name: str) -> str:
        return keep(f"chart-{name}.svg", charts.draw(name, root))

    def diagram(name: str, text: str) -> str:
        draw = partial(diagrams.draw, browser, text)
        return keep(f"diagram-{name}.svg", draw(f"{deck.name}: the diagram {name}"))

    body = filling.fill(deck, root, chart, diagram)
    here = os.path.relpath(root / FOLDER, root / BUILT).replace(os.sep, "/")
    body = LINK.sub(lambda link: f"[{link[1]}]({_moved(here, link[2])})", body)
    front = {
        "marp": "true",
        "theme": marp.THEME,
        "paginate": "true",
        "lang": "en",
        "title": deck.front["title"],
    }
    front["footer"] = f"{deck.name[:2]} · {deck.front['title']}"
    front["description"] = f"Slides of the lesson {deck.front['lesson']}, {deck.minutes} minutes"
    lines = [f"{name}: {value!r}" if " " in value else f"{name}: {value}" for name, value in front.items()]
    return "\n".join(["---", *lines, "---", "", body])


def _unfilled(deck: Deck, root: Path) -> list[str]:
    """What no record has, or no chart, found without drawing anything."""
    try:
        filling.fill(deck, root, charts.known, lambda name, text: name)
    except DeckError as error:
        return [str(error)]
    return []


def _moved(here: str, address: str) -> str:
    return os.path.normpath(f"{here}/{address}").replace(os.sep, "/")


def _embed(page: Path, sources: Path) -> None:
    """Put the pictures into the page itself: one file that can be carried away."""

    def data(match: re.Match) -> str:
        svg = (sources / match[2]).read_bytes()
        return f"{match[1]}data:image/svg+xml;base64,{base64.b64encode(svg).decode('ascii')}{match[3]}"

    page.write_text(IMAGE.sub(data, page.read_text(encoding="utf-8")), encoding="utf-8")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``fsdl-course slides``."""
    parser.add_argument("names", nargs="*", metavar="DECK", help="for example 01_prototype (default: all)")
    parser.add_argument("--check", action="store_true", help="only check the sources; nothing is built")
    parser.add_argument("--no-pdf", action="store_true", help="pages alone")
    parser.add_argument(
        "--record",
        action="store_true",
        help="write what executed lessons in build/course show into slides/lessons.json (names: of lessons)",
    )
    parser.add_argument(
        "--lecture", type=Path, metavar="FOLDER", help="compare quotations with notes.md and slides.txt there"
    )
    parser.add_argument("--root", type=Path, metavar="FOLDER", default=ROOT, help="the course's folder")


def main(args: argparse.Namespace) -> int:
    """Check, build and look at the decks; 1 if anything is wrong with one."""
    try:
        if args.record:
            print(f"written: {lesson_runs.record(args.root, args.names or lesson_runs.lessons(args.root))}")
            return 0
        chosen = [read(path) for path in decks(args.root, tuple(args.names))]
        wrong = [problem for deck in chosen for problem in rules.problems(deck, args.root)]
        if args.lecture:
            wrong += [problem for deck in chosen for problem in rules.misquoted(deck, args.lecture)]
        wrong += [problem for deck in chosen for problem in _unfilled(deck, args.root)]
        if not wrong and not args.check:
            wrong = _built(args)
    except (DeckError, NoBrowser, StationError) as error:
        wrong = [str(error)]
    print(*wrong, sep="\n", end="\n" if wrong else "", file=sys.stderr)
    if args.check and not wrong:
        print(f"{len(chosen)} decks: nothing is wrong with their sources")
    return 1 if wrong else 0


def _built(args: argparse.Namespace) -> list[str]:
    started = time.monotonic()
    seen = build(args.root, tuple(args.names), pdf=not args.no_pdf)
    wrong = []
    for name, deck in seen.items():
        wrong += [f"{name}, {problem}" for problem in deck.problems]
        wrong += [f"{name}: the page asks for {url}" for url in deck.requests]
    slides = sum(deck.slides for deck in seen.values())
    seconds = time.monotonic() - started
    print(f"{len(seen)} decks, {slides} slides, {seconds:.0f} s: {len(wrong)} faults")
    return wrong
