"""The glossary: words of the course, each with its meaning in a sentence and the lesson that uses it

They stand in ``notebooks/glossary.toml``; ``fsdl-course documents`` writes ``GLOSSARY.md`` out of it. A
meaning that leans on another word marks it, ``[[replica]]``. Knows nothing of how a page links its words.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, pairwise
from pathlib import Path

from fsdl_course.notebooks import percent, quoting

FILE = Path("notebooks") / "glossary.toml"
PAGE = "GLOSSARY.md"
REFERENCE = re.compile(r"\[\[([^\]]+)\]\]")
HEADING = re.compile(r"^##+ (.+)$", re.MULTILINE)
MERMAID = re.compile(r"^```.*?^```[ ]*$", re.MULTILINE | re.DOTALL)
ASIDE = ("The need", "You will learn", "Questions", "Take-aways", "Where to go next")  # they explain nothing
LISTS = ("aliases", "not_in")
INTRODUCTION = """# Glossary

The words of the course. Each entry ends with a section that uses the word.
"""


class GlossaryError(ValueError):
    """The glossary is wrong; the message names the word and says what to do."""


@dataclass(frozen=True)
class Term:
    """A word, its meaning in one sentence, the lesson that uses it (``03_service``), other names.

    ``not_in``: lessons that use the word for something else.
    """

    term: str
    meaning: str
    lesson: str
    aliases: tuple[str, ...] = ()
    not_in: tuple[str, ...] = ()

    @property
    def anchor(self) -> str:
        """The name of its heading in a link, as Jupyter and the site make it."""
        return self.term.replace(" ", "-")

    @property
    def plain_meaning(self) -> str:
        """The meaning without marks."""
        return REFERENCE.sub(r"\1", self.meaning)

    @property
    def rule(self) -> str:
        """A regular expression for the word, its plural and its other names, without a group, for ``whole``.

        Small letters match large ones too; a name with a large letter is matched as it is written.
        """
        names = sorted((self.term, *self.aliases), key=len, reverse=True)
        # Lines of prose end anywhere.
        words = (r"\s+".join(map(re.escape, name.split())) + "(?:e?s)?" for name in names)
        cases = (
            word if name != name.lower() else f"(?i:{word})" for name, word in zip(names, words, strict=True)
        )
        return "|".join(cases)

    @cached_property
    def pattern(self) -> re.Pattern:
        """``rule`` where it is a word of its own."""
        return whole(self.rule)


def whole(rule: str) -> re.Pattern:
    """A pattern for what ``rule`` describes where no letter, number or hyphen stands before or after it."""
    return re.compile(rf"(?<![\w-])(?:{rule})(?![\w-])")


def read(root: Path) -> list[Term]:
    """All words in the file's order. Raises GlossaryError for an entry that is not whole."""
    entries = tomllib.loads((root / FILE).read_text(encoding="utf-8")).get("term", [])
    terms = []
    for entry in entries:
        place = f"the entry after {terms[-1].term!r}" if terms else "the first entry"
        name = entry.get("term") or place
        if unknown := sorted(entry.keys() - {"term", "meaning", "lesson", *LISTS}):
            raise GlossaryError(f"{FILE}: {name} has an unknown field {unknown[0]!r}")
        if missing := [field for field in ("term", "meaning", "lesson") if not entry.get(field)]:
            raise GlossaryError(f"{FILE}: {name} lacks `{missing[0]}`")
        terms.append(Term(**entry | {name: tuple(entry.get(name, ())) for name in LISTS}))
    return terms


def problems(terms: list[Term], root: Path) -> Iterator[str]:
    """What is wrong with the words, each a sentence that says what to do."""
    names = [term.term for term in terms]
    for earlier, later in pairwise(names):
        if later.lower() <= earlier.lower():
            yield f"{later!r} stands after {earlier!r}: the words are in alphabetical order, each once"
    called: dict[str, str] = {}
    for term in terms:
        for name in (term.term, *term.aliases):
            if (owner := called.setdefault(name.lower(), term.term)) != term.term:
                yield f"{name!r} is a name of {owner!r} and of {term.term!r}: leave it with one of them"
        if not re.fullmatch(r"[^.]*(?:\.\d[^.]*)*\.", term.plain_meaning):
            yield f"{term.term!r}: its meaning is one sentence that ends with a full stop"
        for word in REFERENCE.findall(term.meaning):
            if meant(word, terms) is None:
                yield f"{term.term!r} explains itself with {word!r}, which has no entry: add one"
        lessons = root / "notebooks" / "source"
        if gone := [name for name in (term.lesson, *term.not_in) if not (lessons / f"{name}.py").is_file()]:
            yield f"{term.term!r}: there is no lesson {gone[0]}"
        elif section(term, sections(root, term.lesson)) is None:
            yield f"{term.term!r} does not stand in the prose of {term.lesson}: name the lesson that uses it"


def meant(word: str, terms: list[Term]) -> Term | None:
    """The entry of a word as a text writes it, such as its plural."""
    return next((term for term in terms if term.pattern.fullmatch(word)), None)


def sections(root: Path, lesson: str) -> dict[str, str]:
    """Heading -> prose of a lesson's source, without code and diagrams; "" is what stands before them."""
    source = (root / "notebooks" / "source" / f"{lesson}.py").read_text(encoding="utf-8")
    prose = "\n\n".join(cell.source for cell in percent.cells(source) if cell.kind == "markdown")
    parts = HEADING.split(quoting.outside_code(MERMAID.sub("", prose)))
    return dict(zip(["", *parts[1::2]], parts[::2], strict=True))


def section(term: Term, prose: Mapping[str, str]) -> str | None:
    """The heading under which a lesson uses the word first; None where it does not.

    What announces or ends the lesson counts where nothing else uses the word.
    """
    using = [heading for heading, text in prose.items() if term.pattern.search(text)]
    return next(
        (heading for heading in using if heading and heading not in ASIDE), using[0] if using else None
    )


def page(root: Path) -> str:
    """``GLOSSARY.md``. Raises GlossaryError with all that is wrong."""
    terms = read(root)
    if wrong := list(problems(terms, root)):
        raise GlossaryError("\n".join(wrong))
    prose = {lesson: sections(root, lesson) for lesson in {term.lesson for term in terms}}
    parts = [INTRODUCTION]
    for letter, group in groupby(terms, key=lambda term: term.term[0].upper()):
        parts.append(f"## {letter}\n")
        parts += [_entry(term, terms, section(term, prose[term.lesson]) or "") for term in group]
    return "\n".join(parts)


def _entry(term: Term, terms: list[Term], heading: str) -> str:
    def link(match: re.Match) -> str:
        return f"[{match[1]}](#{meant(match[1], terms).anchor})"

    number = term.lesson.partition("_")[0]
    anchor = f"#{heading.replace(' ', '-')}" if heading else ""
    where = f"[{number}{': ' if heading else ''}{heading}](<notebooks/{term.lesson}.ipynb{anchor}>)"
    also = f" Also: {', '.join(term.aliases)}." if term.aliases else ""
    return f"### {term.term}\n\n{REFERENCE.sub(link, term.meaning)}{also} ({where})\n"
