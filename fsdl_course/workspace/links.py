"""Links in a notebook's prose, and where they lead from another folder.

Knows Markdown's links and those of the HTML in it. Standard library only.
"""

import html
import posixpath
import re
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
    folder = posixpath.dirname(name)

    def link(match: re.Match) -> str:
        target, mark, rest = re.fullmatch(r"([^#?]*)([#?]?)(.*)", match[2], re.DOTALL).groups()
        if ELSEWHERE.match(match[2]) or not target:
            return match[0]
        place = posixpath.normpath(posixpath.join(folder, unquote(html.unescape(target))))
        inside = any(other == place or other.startswith(f"{place}/") for other in copied)
        if inside or place.startswith("..") or not (root / place).exists():
            return match[0]
        way = quote(posixpath.relpath(place, posixpath.dirname(copy)))
        return f"{match[1]}{way}{mark}{rest}{match[3]}"

    pieces = FENCED.split(text)
    for number in range(0, len(pieces), 3):  # then a block of code, then its fence
        for pattern in LINKS:
            pieces[number] = pattern.sub(link, pieces[number])
    return "".join(piece for number, piece in enumerate(pieces) if number % 3 != 2)
