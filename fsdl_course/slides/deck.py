"""A deck's source: its front matter, its slides, and on each the notes of the speaker with their minutes.

``slides/01_prototype.md`` is Markdown for Marp. Slides stand between lines of ``---``; the first block says
what the deck is::

    title: The prototype
    lesson: 01_prototype
    minutes: 30

A slide's notes are an HTML comment that begins with its minutes, ``<!-- 3 minutes. Ask the class … -->``;
other comments are Marp's settings. Knows nothing of what the slides say.
"""

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path("slides")
FENCE = re.compile(r"^ *(```|~~~)")
COMMENT = re.compile(r"<!--(.*?)-->", re.DOTALL)
NOTE = re.compile(r"\s*(\d+) minutes?\.\s+(\S.*)", re.DOTALL)
SETTING = re.compile(r"\s*_?[a-zA-Z]+:[^\n]*\s*")
FRONT = ("title", "lesson", "minutes")


class DeckError(ValueError):
    """A deck that cannot be built; the message names the deck and says what to do."""


@dataclass(frozen=True)
class Slide:
    """One slide: its number from 1, its text without comments, Marp's settings, its notes and minutes."""

    number: int
    text: str
    settings: tuple[str, ...]
    notes: tuple[tuple[int, str], ...]

    @property
    def title(self) -> str:
        """The first heading, or ""."""
        heading = re.search(r"^#+ +(.+)$", self.text, re.MULTILINE)
        return heading[1] if heading else ""


@dataclass(frozen=True)
class Deck:
    """A deck as its source says: ``front`` by name, ``body`` after it, and the slides in the body."""

    name: str
    front: dict[str, str]
    body: str

    @property
    def minutes(self) -> int:
        """What the deck's front promises."""
        return int(self.front["minutes"])

    def slides(self) -> list[Slide]:
        """The slides in their order; a line ``---`` inside a code block ends none."""
        return [_slide(number, text) for number, text in enumerate(split(self.body), start=1)]


def decks(root: Path, names: tuple[str, ...] = ()) -> list[Path]:
    """The sources called ``names`` (default: all), in their order. DeckError for a name that no deck has."""
    known = {path.stem: path for path in sorted((root / FOLDER).glob("[0-9]*.md"))}
    if missing := [name for name in names if name not in known]:
        raise DeckError(f"no deck is called {missing[0]!r}; there are: {', '.join(known) or 'none'}")
    return [known[name] for name in names or known]


def read(path: Path) -> Deck:
    """A deck from its file. DeckError where its front matter is missing or lacks a name."""
    text = path.read_text(encoding="utf-8")
    parts = re.fullmatch(r"---\n(.*?)\n---\n(.*)", text, re.DOTALL)
    if not parts:
        raise DeckError(f"{path.name} does not begin with its front matter, between two lines of ---")
    front = dict(re.findall(r"^(\w+): *(.*?) *$", parts[1], re.MULTILINE))
    if missing := [name for name in FRONT if not front.get(name)]:
        raise DeckError(f"{path.name}: the front matter lacks `{missing[0]}:`")
    if not front["minutes"].isdigit():
        raise DeckError(f"{path.name}: minutes are a whole number, not {front['minutes']!r}")
    return Deck(path.stem, front, parts[2])


def split(body: str) -> list[str]:
    """The texts between lines of ``---``, those in code blocks not counted."""
    texts, inside = [""], ""
    for line in body.splitlines(keepends=True):
        if fence := FENCE.match(line):
            inside = "" if fence[1] == inside else inside or fence[1]
        if line.strip() == "---" and not inside:
            texts.append("")
        else:
            texts[-1] += line
    return texts


def _slide(number: int, text: str) -> Slide:
    settings, notes = [], []
    for comment in COMMENT.findall(text):
        if note := NOTE.fullmatch(comment):
            notes.append((int(note[1]), " ".join(note[2].split())))
        elif SETTING.fullmatch(comment):
            settings.append(comment.strip())
        else:
            notes.append((0, " ".join(comment.split())))
    return Slide(number, COMMENT.sub("", text), tuple(settings), tuple(notes))
