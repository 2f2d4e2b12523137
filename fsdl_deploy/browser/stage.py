"""A stage for the app: a site of releases, its server behind a link that breaks, and a browser with an empty
profile

What scenes are played on: ``with AppStage() as stage``, and ``stage.fresh("v1")`` before each.
"""

import tempfile
from functools import cached_property
from pathlib import Path

from fsdl_deploy.browser.app_page import AppPage
from fsdl_deploy.browser.chromium import Chromium
from fsdl_deploy.browser.serving import ServedApp
from fsdl_deploy.browser.site import Release, Site
from fsdl_deploy.cards import Card, cards
from fsdl_deploy.reader import OnnxReader
from fsdl_deploy.running.course_servers import course_server
from fsdl_deploy.running.ports import free_port
from fsdl_deploy.running.servers import Server


class AppStage:
    """``browser`` and its ``page``, ``app`` and its ``site``; ``service`` is started when it is first asked
    for.

    Raises NoBrowser, StationError or ServerError where something is missing.
    """

    def __init__(self):
        self.browser = Chromium()
        self.app: ServedApp | None = None
        self._folder = tempfile.TemporaryDirectory()
        self._count = 0

    @cached_property
    def service(self) -> Server:
        """The model service with the teacher, which pages of the app may ask."""
        server = course_server("serve", "--version", "teacher", "--allow-origin", self.origin)
        self._services.append(server.start())
        return server

    def fresh(self, model: str | bytes = "v2", service: str | None = None, **settings) -> AppPage:
        """A new site whose first release is ``model``, and a page of an empty profile, not opened yet.

        ``settings`` are those of the release.
        """
        self._stop()
        self._count += 1
        site = Site(Path(self._folder.name) / str(self._count)).make()
        site.publish(model, settings=settings)
        self.app = ServedApp(site, service, self._port).start()
        self.browser.fresh()
        return AppPage(self.browser, self.app.url)

    def publish(self, model: str | bytes, name: str | None = None) -> Release:
        """A new release on the site of now."""
        return self.app.site.publish(model, name)

    def __enter__(self) -> "AppStage":
        self._services: list[Server] = []
        self._port = free_port()
        self.origin = f"http://127.0.0.1:{self._port}"
        self.browser.__enter__()
        return self

    def __exit__(self, *error) -> None:
        self._stop()
        self.browser.__exit__(*error)
        for server in self._services:
            server.stop()
        self._folder.cleanup()

    def _stop(self) -> None:
        if self.app is not None:
            self.app.stop()


def read_alike(page: AppPage, model: str, pictures: list[Card]) -> int:
    """On how many cards the page reads what ONNX Runtime reads in Python, the confidence to within 0.001."""
    own = OnnxReader(model).read([card.image for card in pictures])
    theirs = page.read_all(card.image for card in pictures)
    return sum(
        reading.digits == answer["digits"] and abs(reading.confidence - answer["confidence"]) < 0.001
        for reading, answer in zip(own, theirs, strict=True)
    )


def some_cards(number: int = 20, level: str = "typical", seed: int = 77) -> list[Card]:
    """Cards of unseen digits."""
    return list(cards(number, level, seed=seed))
