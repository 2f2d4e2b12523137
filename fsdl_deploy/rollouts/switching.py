"""Two models loaded in one service, and a file that says which of them reads

``python -m fsdl_deploy.rollouts.switching --port 0 --switch FILE v2 v3-bad``: whoever replaces FILE with the
other name switches. Twice the memory, and no moment without a model.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from fsdl_deploy.picture import Image
from fsdl_deploy.reading import Reader, Reading
from fsdl_deploy.running.servers import Server


class SwitchingReader:
    """A Reader that is the one of ``readers`` whose name stands in the file ``switch``.

    A name that none of them has changes nothing.
    """

    def __init__(self, readers: Mapping[str, Reader], switch: Path):
        self.readers, self.switch = dict(readers), switch
        self._active = next(iter(self.readers))

    @property
    def active(self) -> Reader:
        try:
            name = self.switch.read_text(encoding="utf-8").strip()
        except OSError:  # while it is replaced
            name = ""
        if name in self.readers:
            self._active = name
        return self.readers[self._active]

    @property
    def model_version(self) -> str:
        return self.active.model_version

    def read(self, images: Sequence[Image]) -> list[Reading]:
        return self.active.read(images)


def switching_service(switch: Path, *versions: str) -> Server:
    """The service with these versions loaded, as a server that is not started yet."""
    words = [sys.executable, "-m", __name__, "--port", "{port}", "--switch", str(switch), *versions]
    return Server(words, "/readyz", name="switching service", timeout=180)


def main() -> int:
    from fsdl_deploy.reader import OnnxReader
    from fsdl_deploy.service.process import serve

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--switch", type=Path, required=True)
    parser.add_argument("versions", nargs="+")
    arguments = parser.parse_args()

    def load() -> SwitchingReader:
        readers = {version: OnnxReader(version) for version in arguments.versions}
        return SwitchingReader(readers, arguments.switch)

    return serve(load, "127.0.0.1", arguments.port, threads=1)


if __name__ == "__main__":
    sys.exit(main())
