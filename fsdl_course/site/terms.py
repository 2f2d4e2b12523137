"""Links from a lesson's prose to the glossary: at the first use of each word, and nowhere that is no prose

Headings, code, tables, links, HTML and the lecture's own words in a quotation stay as they are. Knows nothing
of what a word means.
"""

import re
from collections.abc import Iterable

from markdown_it import MarkdownIt

from fsdl_course.glossary import PAGE, Term, whole

# Inside a paragraph: code, pictures and links, HTML with what a figure's key says, addresses.
KEPT = re.compile(
    r"(`+)(?!`).+?(?<!`)\1(?!`)|!?\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])|<(span|a|code)\b.*?</\2>|<[^>]*>|https?://\S+",
    re.DOTALL,
)
HEADER = re.compile(r"\*\*Minutes:\*\*")
MARKDOWN = MarkdownIt("commonmark").enable("table")


class TermLinks:
    """The words of a page that are not linked yet; ``up`` is the way from it to the first page."""

    def __init__(self, terms: Iterable[Term], up: str):
        # The longest first: "load balancer" is no load.
        ordered = sorted(terms, key=lambda term: -len(term.term))
        self.terms = {f"t{number}": term for number, term in enumerate(ordered)}
        self.used: set[str] = set()
        self.up = up
        rules = (f"(?P<{group}>{term.rule})" for group, term in self.terms.items())
        self.pattern = whole("|".join(rules) or "(?!)")

    def linked(self, text: str) -> str:
        """A cell's Markdown, in which the first use of each word that is left leads to its entry."""
        lines = text.split("\n")
        for first, end in _paragraphs(text):
            paragraph = "\n".join(lines[first:end])
            if not HEADER.search(paragraph):
                # As many lines as before: the next paragraph stays where it is.
                lines[first:end] = self._in_paragraph(paragraph).split("\n")
        return "\n".join(lines)

    def _in_paragraph(self, text: str) -> str:
        written, end = "", 0
        for kept in KEPT.finditer(text):
            written += self._in_prose(text[end : kept.start()]) + kept[0]
            end = kept.end()
        return written + self._in_prose(text[end:])

    def _in_prose(self, text: str) -> str:
        return self.pattern.sub(self._link, text)

    def _link(self, match: re.Match) -> str:
        term = self.terms[match.lastgroup]
        if term.term in self.used:
            return match[0]
        self.used.add(term.term)
        meaning = term.plain_meaning.replace("\\", "").replace('"', "'")
        return f'[{match[0]}](<{self.up}{PAGE}#{term.anchor}> "{meaning}")'


def _paragraphs(text: str) -> list[tuple[int, int]]:
    """First line and the line after the last of each paragraph that is not in a quotation."""
    places, quoted = [], 0
    for token in MARKDOWN.parse(text):
        quoted += {"blockquote_open": 1, "blockquote_close": -1}.get(token.type, 0)
        if token.type == "paragraph_open" and not quoted:
            places.append(tuple(token.map))
    return places
