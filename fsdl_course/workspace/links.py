"""Links in a notebook's prose, and where they lead from another folder.

Knows Markdown's links and those of the HTML in it. Standard library only.
"""

import html
import posixpath
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, unquote

FENCED = re.compile(r"(^[ ]*(```|~~~).*?^[ ]*\2[^\n]*$)", re.MULTILINE | re.DOTALL)
# A link's place in Markdown ([text](place), [text]: place) or in HTML; the groups: before it, it, after it.
LINKS = (
    re.compile(r'(\]\(\s*<?)([^\s<>()"]+)([\s>)])'),
    re.compile(r"(^ {0,3}\[[^\]\n]+\]:\s*<?)([^\s<>]+)(>|\s|$)", re.MULTILINE),
    re.compile(r"""(<(?:a|img)\b[^>]*?\b(?:href|src)=["'])([^"'>]+)(["'])"""),
)
ELSEWHERE = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:|/|#|$")


def relinked(text: str, name: str, copy: str, copied: set[str], root: Path) -> str:
    """Markdown of the notebook ``name`` with the links that it needs at ``copy``; blocks of code stay.

    Links to notebooks of ``copied``, and to their folders, stay too: these are copied with it. All paths are
    relative to ``root``.
    """

    def lead(place: str, _: str) -> str | None:
        inside = any(other == place or other.startswith(f"{place}/") for other in copied)
        return None if inside or place.startswith("..") or not (root / place).exists() else place

    return with_links(text, posixpath.dirname(name), posixpath.dirname(copy), lead)


def with_links(text: str, folder: str, new_folder: str, lead: Callable[[str, str], str | None]) -> str:
    """Markdown whose links into the course lead where ``lead`` says; blocks of code stay.

    ``lead`` is given the place that a link in ``folder`` means and the link as it is written. It returns the
    place to lead to, as seen from ``new_folder``, or None for a link that stays. All places are relative to
    one root.
    """

    def link(match: re.Match) -> str:
        target, mark, rest = re.fullmatch(r"([^#?]*)([#?]?)(.*)", match[2], re.DOTALL).groups()
        if ELSEWHERE.match(match[2]) or not target:
            return match[0]
        new = lead(posixpath.normpath(posixpath.join(folder, unquote(html.unescape(target)))), target)
        if new is None:
            return match[0]
        return f"{match[1]}{quote(posixpath.relpath(new, new_folder))}{mark}{rest}{match[3]}"

    pieces = FENCED.split(text)
    for number in range(0, len(pieces), 3):  # then a block of code, then its fence
        for pattern in LINKS:
            pieces[number] = pattern.sub(link, pieces[number])
    return "".join(piece for number, piece in enumerate(pieces) if number % 3 != 2)
