"""The app served in this process, for a lesson or a test: ``with ServedApp(site) as app: … app.url``

uvicorn in a thread of its own, on a free port of this machine, behind a ``Link`` that can be broken. The
command ``fsdl-deploy edge app`` serves the same application for as long as it runs.
"""

import logging
import threading
import time

import uvicorn

from fsdl_deploy.browser.link import Link, LinkCut
from fsdl_deploy.browser.site import Site
from fsdl_deploy.browser.web import app_of
from fsdl_deploy.service.process import listen


class ServedApp:
    """The app for ``site``, from ``start`` (or ``with``) to ``stop``; started again it keeps its port.

    ``service``: the origin of a model service that the app may ask. ``link``: breaks on command, and counts.
    Raises KeyProblem or StationError where something is missing, OSError where the port is taken.
    """

    def __init__(self, site: Site, service: str | None = None, port: int = 0, isolated: bool = True):
        self.site, self.port = site, port
        self.link = Link(app_of(site, service, isolated))
        self._server: uvicorn.Server | None = None

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        return f"http://127.0.0.1:{self.port}/"

    @property
    def sent(self) -> int:
        """Bytes of all answers so far, heads and bodies."""
        return self.link.sent.total()

    def start(self) -> "ServedApp":
        """Start, and return once it accepts connections."""
        listener = listen("127.0.0.1", self.port)
        self.port = listener.getsockname()[1]
        # A link that is cut on command is no error of the server's.
        logging.getLogger("uvicorn.error").addFilter(_not_cut)
        config = uvicorn.Config(self.link, log_level="error", lifespan="off", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([listener],), daemon=True)
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.01)
        return self

    def stop(self) -> None:
        """Stop: whoever asks now finds nobody."""
        if self._server is not None:
            self._server.should_exit = True
            self._thread.join(10)
            self._server = None

    def __enter__(self) -> "ServedApp":
        return self.start()

    def __exit__(self, *error) -> None:
        self.stop()


def _not_cut(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], LinkCut))
