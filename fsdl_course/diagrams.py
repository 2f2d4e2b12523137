"""Diagrams: Mermaid's text as SVG, drawn by this machine's browser and kept by content

``draw(texts)`` gives pictures that need no script: in a page opened from disk, on a slide, in print.
What was drawn once lies in ``build/diagrams``. Mermaid is that of the station ``node``. Text stays text in
the picture. It is measured in a wide font, so that the narrower one of another machine fits too. Knows
nothing of pages.
"""

import contextlib
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from fsdl_deploy import files
from fsdl_deploy.browser.chromium import Chromium
from fsdl_deploy.paths import BUILD
from fsdl_deploy.running import stations

FOLDER = BUILD / "diagrams"
THEMES = ("default", "dark", "neutral", "forest", "base")
FENCE = re.compile(r"^```mermaid[ ]*\n(.*?)^```[ ]*$", re.MULTILINE | re.DOTALL)
BOLD = re.compile(r"</?(?:b|i|strong|em)>")  # text of SVG has no tags: they would be shown as they are
BREAK = re.compile(r"\s*<br\s*/?>\s*")
FONT = "DejaVu Sans, Verdana, Arial, sans-serif"
SETTINGS = {
    "startOnLoad": False,
    "securityLevel": "strict",
    "deterministicIds": True,
    "fontFamily": FONT,
    "htmlLabels": False,  # labels of HTML are not shown where the picture is an <img>
    "flowchart": {"htmlLabels": False, "useMaxWidth": False},
    "sequence": {"useMaxWidth": False},
    "state": {"useMaxWidth": False},
}
DRAW = """async ([name, source, settings]) => {
  mermaid.initialize(settings);
  const {svg} = await mermaid.render(name, source);
  document.body.innerHTML = svg;
  const texts = (chosen) => [...document.querySelectorAll(chosen)].map(
    (node) => [...node.querySelectorAll("tspan.text-outer-tspan, tspan.row")]
      .map((row) => row.textContent.trim()).join(" ").trim() || node.textContent.trim());
  const labels = texts("g.node g.label, text.actor-box, g.note text").filter(Boolean);
  document.body.replaceChildren();
  return [svg, labels];
}"""


class DiagramError(ValueError):
    """Mermaid cannot draw a text; the message says where it stops."""


@dataclass(frozen=True)
class Diagram:
    """A drawn diagram: its SVG as text, and the words in its boxes, in the order of the text."""

    svg: str
    labels: tuple[str, ...] = ()

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in CSS pixels, as Mermaid laid it out."""
        box = re.search(r'viewBox="([-\d.eE ]+)"', self.svg)[1].split()
        return float(box[2]), float(box[3])

    @property
    def alt(self) -> str:
        """What it shows, for those who cannot see it: Mermaid's own description, or what is in the boxes."""
        own = [re.search(rf"<{tag}[^>]*>([^<]+)</{tag}>", self.svg) for tag in ("title", "desc")]
        if words := " ".join(match[1].strip() for match in own if match):
            return words
        return f"Diagram: {'; '.join(self.labels)}" if self.labels else "Diagram"


def script() -> Path:
    """Mermaid as one file; NotBuilt without the station ``node``."""
    return stations.station("node").node_modules / "@mermaid-js" / "tiny" / "dist" / "mermaid.tiny.js"


def sources(markdown: str) -> list[str]:
    """The diagrams in a text of Markdown: what stands between its fences ``mermaid``."""
    return FENCE.findall(markdown)


def draw(
    texts: Iterable[str],
    theme: str = "default",
    folder: Path = FOLDER,
    look: Mapping = MappingProxyType({}),
    browser: Chromium | None = None,
) -> dict[str, Diagram]:
    """Each text's diagram. A browser starts only if one is not in ``folder`` yet, and once for all.

    ``look``: settings of Mermaid that take the place of SETTINGS, such as those of a slide. ``browser``: one
    that runs already. Raises DiagramError for a text that Mermaid cannot read, NotBuilt without the station
    ``node``, NoBrowser.
    """
    if theme not in THEMES:
        raise ValueError(f"theme must be one of {', '.join(THEMES)}, not {theme!r}")
    texts, settings = list(dict.fromkeys(texts)), SETTINGS | {"theme": theme, **look}
    mermaid = script()
    seed = hashlib.sha256(mermaid.read_bytes() + json.dumps([settings, DRAW]).encode()).digest()
    kept = {text: folder / f"{hashlib.sha256(seed + text.encode()).hexdigest()[:24]}.json" for text in texts}
    if missing := [text for text in texts if not kept[text].is_file()]:
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.nullcontext(browser) if browser else Chromium() as chromium:
            for text, diagram in chromium(_drawings, mermaid, missing, settings):
                files.write(kept[text], json.dumps(diagram).encode())
    return {text: _read(kept[text]) for text in texts}


def _read(path: Path) -> Diagram:
    svg, labels = json.loads(path.read_bytes())
    return Diagram(svg, tuple(labels))


def _drawings(context, mermaid: Path, texts: list[str], settings: dict) -> list[tuple[str, tuple]]:
    """Mermaid's answers, in the browser's thread; each has a name of its own for its styles."""
    from playwright.sync_api import Error

    page = context.new_page()
    page.add_script_tag(path=mermaid)
    drawings = []
    for text in texts:
        name = f"diagram-{hashlib.sha256((settings['theme'] + text).encode()).hexdigest()[:10]}"
        try:
            svg, labels = page.evaluate(DRAW, [name, BOLD.sub("", text), settings])
        except Error as error:
            start = " ".join(text.split())[:60]
            reason = " ".join(error.message.partition("\n    at ")[0].split())
            raise DiagramError(f"Mermaid cannot draw {start!r}: {reason}") from None
        plain = BREAK.sub(" ", BOLD.sub("", text))
        drawings.append((text, (svg, sorted(dict.fromkeys(labels), key=plain.find))))
    page.close()
    return drawings
