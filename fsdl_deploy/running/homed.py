"""A server whose files lie in a temporary folder of its own: both go when its ``with`` ends

Knows nothing of what is served.
"""

import tempfile
from pathlib import Path
from typing import Self

from fsdl_deploy.running.own_folder import own_folder
from fsdl_deploy.running.servers import Server


class HomedServer:
    """Base of Prometheus, Envoy and the like: ``open`` makes the folder with ``home`` and starts the server.

    What goes wrong in ``open`` leaves neither a process nor a file.
    """

    _folder: tempfile.TemporaryDirectory | None = None
    _server: Server | None = None

    def open(self) -> None:
        """Set ``_server`` to a server that has started."""
        raise NotImplementedError

    def home(self, kind: str) -> Path:
        """A new temporary folder, from now on ``folder``."""
        self._folder = own_folder(kind)
        return self.folder

    def __enter__(self) -> Self:
        try:
            self.open()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        """End it and remove its files."""
        if self._server is not None:
            self._server.stop()
        if self._folder is not None:
            self._folder.cleanup()

    @property
    def folder(self) -> Path:
        return Path(self._folder.name)

    @property
    def server(self) -> Server:
        """The process that it is."""
        return self._server

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def port(self) -> int:
        return self._server.port
