"""The app in a driven browser: open it, let it read, draw on it, and ask what it shows

Knows the page's elements and modules (``infra/edge/browser/app``). All functions run in the browser's thread.
"""

import base64
import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fsdl_deploy.browser.chromium import Chromium
from fsdl_deploy.picture import Image

PATIENCE = 60_000  # milliseconds for the app to be ready, on a machine with other work
IDLE = "#result[aria-busy=false]"
_READ = """async ({width, height, pixels}) => {
  const {app} = await import("./main.js");
  const bytes = Uint8Array.from(atob(pixels), (c) => c.charCodeAt(0));
  return await app.now().reader.read({pixels: bytes, width, height});
}"""
_LOOK = "async () => (await import('./main.js')).app.look()"
_SHOWN = """() => {
  const element = (id) => document.getElementById(id), ids = ["digits", "how", "release", "news"];
  const texts = ids.map((id) => [id, element(id).textContent]);
  return {...Object.fromEntries(texts), asks: !element("check").hidden};
}"""


def as_argument(image: Image) -> dict:
    """A picture uint8 ``[H, W]`` as a page's scripts take it: ``width``, ``height``, ``pixels`` in base64."""
    height, width = image.shape
    return {"width": width, "height": height, "pixels": base64.b64encode(image.tobytes()).decode()}


@dataclass
class AppPage:
    """The app in one tab of ``browser``: what it asked for, and what it complained about, is kept."""

    browser: Chromium
    url: str
    asked: list[str] = field(default_factory=list)
    """Addresses of all requests of the page and its workers."""
    complaints: list[str] = field(default_factory=list)
    """Errors that nobody caught, and what the policy blocked."""

    def open(self, wait: bool = True) -> "AppPage":
        """Open the app and wait until it is ready to read."""
        self.browser(self._open, wait)
        return self

    def reload(self, wait: bool = True) -> None:
        """Load the page again; with ``wait`` until it is ready to read."""
        self.browser(self._reload, wait)

    def do(self, function, *arguments: Any) -> Any:
        """``function(page, *arguments)`` with Playwright's page, in the browser's thread."""
        return self.browser(lambda _: function(self._page, *arguments))

    def run(self, script: str, argument: Any = None) -> Any:
        """The value of JavaScript in the page, where ``import("./NAME.js")`` gives the app's modules."""
        return self.do(lambda page: page.evaluate(script, argument))

    def read(self, image: Image) -> dict:
        """``{digits, confidence, milliseconds}`` of a picture uint8 ``[H, W]``, by the page's model alone."""
        return self.run(_READ, as_argument(image))

    def read_all(self, images: Iterable[Image]) -> list[dict]:
        """``read`` of each."""
        return [self.read(image) for image in images]

    def upload(self, file: str | Path | dict) -> dict:
        """Choose a file as a person does (a path, or name, mimeType and buffer); what is shown then."""

        def choose(page):
            page.set_input_files("#file", file)
            page.wait_for_selector(IDLE, timeout=PATIENCE)

        self.do(choose)
        return self.shows()

    def draw(self, strokes: Sequence[Sequence[tuple[float, float]]]) -> None:
        """Draw with the mouse: points of each stroke as shares of the sheet, 0 to 1."""

        def move(page):
            page.locator("#pad").scroll_into_view_if_needed()
            box = page.locator("#pad").bounding_box()
            for points in strokes:
                at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
                page.mouse.move(*at[0])
                page.mouse.down()
                for x, y in at[1:]:
                    page.mouse.move(x, y, steps=3)
                page.mouse.up()

        self.do(move)

    def press(self, name: str) -> dict:
        """Press the button with this id, wait until the page is idle again; what is shown then."""

        def click(page):
            page.click(f"#{name}")
            page.wait_for_selector(IDLE, timeout=PATIENCE)

        self.do(click)
        return self.shows()

    def look(self) -> str:
        """Look for a newer model: "updated", "newest", or the reason of a refusal."""
        return self.run(_LOOK)

    def shows(self) -> dict[str, str]:
        """On the page: ``digits``, ``how``, ``release``, ``news``, and whether it ``asks`` a person."""
        return self.run(_SHOWN)

    def screenshot(self, alt: str, width: int = 420):
        """The page as it looks, as a picture for a notebook; ``alt`` says what it shows."""
        from IPython.display import HTML

        png = base64.b64encode(self.do(lambda page: page.screenshot(full_page=True))).decode()
        # Markup of our own: an image as output would lose its alternative text.
        return HTML(f'<img src="data:image/png;base64,{png}" alt="{html.escape(alt)}" width="{width}">')

    def _open(self, context, wait: bool) -> None:
        self._page = context.new_page()
        context.on("request", lambda request: self.asked.append(request.url))
        self._page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self._page.on("console", self._heard)
        self._page.goto(self.url)
        self._ready(wait)

    def _reload(self, context, wait: bool) -> None:
        self._page.reload()
        self._ready(wait)

    def _ready(self, wait: bool) -> None:
        if wait:
            self._page.wait_for_selector("#read:enabled", timeout=PATIENCE)

    def _heard(self, message) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            self.complaints.append(message.text)
