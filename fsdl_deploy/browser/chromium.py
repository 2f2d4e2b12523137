"""A browser that a program drives: the Chromium or Chrome of this machine, in a thread of its own

Playwright's plain interface does not run where an event loop runs, as in a notebook: so all that is done with
the browser is done in one thread. Knows nothing about the app.
"""

import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Google/Chrome/Application/chrome.exe",
)
# Chromium would ask its maker for updates and lists of its own, beside what a page asks for.
OPTIONS = ("--no-sandbox", "--disable-background-networking", "--disable-component-update")
Answer = TypeVar("Answer")


class NoBrowser(RuntimeError):
    """There is no Chromium or Chrome to drive; the message says what to do."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the sentence."""
        return [str(self)]


def program() -> str:
    """The browser's program: that of ``CHROME_PATH``, or one on PATH. Raises NoBrowser."""
    named = os.environ.get("CHROME_PATH")
    candidates = [named] if named else [*map(shutil.which, NAMES), *filter(os.path.isfile, PLACES)]
    if chosen := next(filter(None, candidates), None):
        return chosen
    raise NoBrowser("no Chromium or Chrome is on PATH: install one, or name its program in CHROME_PATH")


class Chromium:
    """``with Chromium() as browser: browser(lambda context: …)``: functions of a fresh, empty profile.

    ``settings`` are those of Playwright's ``new_context``, such as ``viewport`` or ``color_scheme``. What a
    function returns comes back, what it raises too.
    """

    def __init__(self, **settings: Any):
        self.settings = settings
        self._thread: ThreadPoolExecutor | None = None

    def __enter__(self) -> "Chromium":
        self._thread = ThreadPoolExecutor(1)
        try:
            self._thread.submit(self._open, program()).result()
        except BaseException:
            self._thread.shutdown()
            raise
        return self

    def __call__(self, function: Callable[..., Answer], *arguments: Any) -> Answer:
        """``function(context, *arguments)`` in the browser's thread."""
        return self._thread.submit(function, self._context, *arguments).result()

    def fresh(self) -> None:
        """Throw the profile away, with all that pages have stored, and take an empty one."""
        self._thread.submit(self._renew).result()

    def __exit__(self, *error: object) -> None:
        try:
            self._thread.submit(self._close).result()
        finally:
            self._thread.shutdown()

    def _open(self, path: str | Path) -> None:
        from playwright.sync_api import sync_playwright

        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(executable_path=path, args=list(OPTIONS))
        self._context = self._browser.new_context(**self.settings)

    def _renew(self) -> None:
        self._context.close()
        self._context = self._browser.new_context(**self.settings)

    def _close(self) -> None:
        self._browser.close()
        self._playwright.stop()
