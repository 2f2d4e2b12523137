"""Look at the site's pages in a real browser, from disk: on a phone, in the dark, with a screen reader's eyes

Each page is opened at a phone's width and at a desk's, in both colours: nothing may scroll sideways, come
from another host or fail, and axe may see nothing serious. Knows nothing of what the pages say.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fsdl_deploy.browser.chromium import Chromium
from fsdl_deploy.running import stations

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
MODES = ("light", "dark")
SERIOUS = ("serious", "critical")
PATIENCE = 120_000  # milliseconds for a page, on a machine with other work
# A colour on its way to another is no colour of the page yet.
AXE = """async () => {
  await new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next)));
  const moving = document.getAnimations().filter(({effect}) => effect.getComputedTiming().endTime < 10000);
  await Promise.allSettled(moving.map(({finished}) => finished));
  const {violations} = await axe.run(document, {resultTypes: ["violations"]});
  const places = (nodes) => nodes.slice(0, 3).map((node) => node.target.join(" "));
  return violations.map(({id, impact, nodes}) => [id, impact, places(nodes)]);
}"""
WIDTHS = "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
# A picture that is hidden may be left until it is seen.
BROKEN = """() => [...document.images].filter((image) =>
  image.checkVisibility() && image.loading !== "lazy" && image.complete && !image.naturalWidth)
  .map((image) => image.src.slice(0, 100))"""


@dataclass(frozen=True)
class View:
    """How a page is looked at: which colours, and how wide."""

    mode: str
    size: dict

    def __str__(self) -> str:
        return f"{self.mode}, {self.size['width']} px"


VIEWS = tuple(View(mode, size) for mode in MODES for size in (DESK, PHONE))


def axe() -> Path:
    """The checker of accessibility as one file; NotBuilt without the station ``site``."""
    return stations.station("site").node_modules / "axe-core" / "axe.min.js"


def kinds(folder: Path) -> list[str]:
    """A page of each kind: the first, a lesson, a tool, a lab, and those that are one of their kind."""
    patterns = ("index.html", "tools.html", "slides.html", "claims.html", "search.html", "CONTRIBUTING.html")
    patterns += (
        "CHOOSING.html",
        "GLOSSARY.html",
        "notebooks/*.html",
        "notebooks/tools/*.html",
        "labs/*/*.html",
        "solutions/*.html",
        "models/*.html",
    )
    first = (next(iter(sorted(folder.glob(pattern))), None) for pattern in patterns)
    return [path.relative_to(folder).as_posix() for path in first if path]


def every(folder: Path) -> list[str]:
    """All pages that Sphinx wrote."""
    own = [path.relative_to(folder) for path in sorted(folder.rglob("*.html"))]
    return [path.as_posix() for path in own if path.parts[0] not in ("_static", "reader", "slides", "files")]


def problems(folder: Path, pages: Sequence[str], views: Sequence[View] = VIEWS) -> Iterator[str]:
    """What is wrong with the pages, each a sentence.

    Raises NoBrowser, or NotBuilt without the station ``site``.
    """
    script = axe()
    with Chromium() as browser:
        for page in pages:
            for problem in browser(_looked_at, (folder / page).resolve().as_uri(), script, views):
                yield f"{page}: {problem}"


def _looked_at(context, address: str, script: Path, views: Sequence[View]) -> list[str]:
    page, asked, seen = context.new_page(), [], []
    page.set_default_timeout(PATIENCE)
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: seen.append(f"an error in a script: {error}"))
    width = 0
    for view in sorted(views, key=lambda view: view.size["width"]):
        page.set_viewport_size(view.size)
        page.emulate_media(color_scheme=view.mode, reduced_motion="reduce")
        if view.size["width"] != width:  # a page follows a change of colours by itself
            width = view.size["width"]
            page.goto(address, wait_until="load")
            page.add_script_tag(path=script)
        seen += [f"{problem} ({view})" for problem in _seen_now(page)]
    seen += [f"asks {url[:100]}" for url in asked if not url.startswith(("file:", "data:", "blob:"))]
    page.close()
    return seen


def _seen_now(page) -> Iterator[str]:
    width, there = page.evaluate(WIDTHS)
    if width > there:
        yield f"scrolls sideways, {width} px of content in {there} px"
    yield from (f"the picture {source} is not shown" for source in page.evaluate(BROKEN))
    for rule, impact, targets in page.evaluate(AXE):
        if impact in SERIOUS:
            yield f"axe, {impact}: {rule} at {json.dumps(targets)}"
