"""Are the pages of a folder whole: each link leads somewhere, nothing comes from elsewhere

Reads HTML as it was written, and opens no connection.
"""

import posixpath
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"img": "src", "script": "src", "iframe": "src", "source": "src", "link": "href"}
ALONE = ("reader/", "slides/", "files/", "_static/")  # checked where they are made; the last has templates
NOT_LOADED = {"canonical", "next", "prev", "author", "index", "search", "copyright"}
IMPORTED = re.compile(r"""(?:@import\s*["']?|url\(\s*["']?)(https?:)?//""")


class _Page(HTMLParser):
    """The names of places in a page, what it links and what it loads."""

    def __init__(self, text: str):
        super().__init__()
        self.names, self.links, self.loads = set(), [], []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.names.update(filter(None, (values.get("id"), values.get("name") if tag == "a" else None)))
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        elif tag in LOADED and LOADED[tag] in values:
            if not (tag == "link" and set(values.get("rel", "").split()) & NOT_LOADED):
                self.loads.append(values[LOADED[tag]])
            else:
                self.links.append(values["href"])


def problems(folder: Path) -> Iterator[str]:
    """What is wrong with the pages below ``folder``, each a sentence."""
    parsed = {
        path.relative_to(folder).as_posix(): _Page(path.read_text(encoding="utf-8"))
        for path in sorted(folder.rglob("*.html"))
        if not path.relative_to(folder).as_posix().startswith(ALONE)
    }
    for name, page in parsed.items():
        for address in page.loads:
            if re.match(r"https?:|//", address):
                yield f"{name} loads {address} from another host"
        for address in [*page.links, *page.loads]:
            yield from _dead(folder, parsed, name, address)
    for path in sorted(folder.rglob("*.css")):
        if IMPORTED.search(path.read_text(encoding="utf-8", errors="replace")):
            yield f"{path.relative_to(folder).as_posix()} loads a file from another host"


def _dead(folder: Path, parsed: dict[str, _Page], name: str, address: str) -> Iterator[str]:
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return
    place = (
        posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(parts.path)))
        if parts.path
        else name
    )
    anchor = unquote(parts.fragment)
    if place.startswith("..") or not (folder / place).is_file():
        yield f"{name} links {address}, and there is no such file"
    elif anchor and place in parsed and anchor not in parsed[place].names:
        yield f"{name} links {address}, and {place} has no such place"
