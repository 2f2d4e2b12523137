"""Read cards with LiteRT.js in a browser: the same .tflite files, WebAssembly, and no request elsewhere"""

import base64
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from fsdl_deploy.browser.chromium import Chromium
from fsdl_deploy.running.stations import station
from fsdl_deploy.targets import catalogue, reading_program

PAGE = Path(__file__).with_name("page.html")
ADDRESS = "https://reader.example/"  # this program answers for it: nothing is asked from a network
TYPES = {".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm"}


class TflitePage:
    """A page in a browser that has opened an artifact, as a context manager.

    ``signatures``: by name, what each wants. ``asked``: every address that the page asked for.
    ``on_the_way``: seconds that pictures and answers took to the browser and back; an app has them there.
    """

    def __init__(self, artifact: Path):
        self.artifact, self.asked, self.on_the_way = artifact, [], 0.0
        self.modules = station("node").node_modules / "@litertjs"
        self._browser = Chromium()

    def __enter__(self) -> "TflitePage":
        self._browser.__enter__()
        try:
            self.signatures = self._browser(self._open)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._browser.__exit__(*error)

    def run(self, signature: str, *inputs: np.ndarray) -> list[np.ndarray]:
        """The outputs of one signature."""
        begin = time.perf_counter()
        words = [
            [str(given.dtype), list(given.shape), base64.b64encode(np.ascontiguousarray(given)).decode()]
            for given in inputs
        ]
        outputs, milliseconds = self._browser(self._ask, [signature, words])
        arrays = [
            np.frombuffer(base64.b64decode(content), dtype).reshape(shape)
            for dtype, shape, content in outputs
        ]
        self.on_the_way += time.perf_counter() - begin - milliseconds / 1000
        return arrays

    def _open(self, context) -> dict[str, list]:
        self._page = context.new_page()
        self._page.route("**/*", self._serve)
        self._page.goto(ADDRESS + PAGE.name)
        self._page.wait_for_function("window.ready")
        return self._page.evaluate("start('/model.tflite')")

    def _ask(self, context, words: list) -> list:
        return self._page.evaluate("(words) => run(...words)", words)

    def _serve(self, route) -> None:
        url = route.request.url
        self.asked.append(url)
        name = url.removeprefix(ADDRESS)
        file = {PAGE.name: PAGE, "model.tflite": self.artifact}.get(name, self.modules / name)
        if not url.startswith(ADDRESS) or not file.is_file():
            return route.abort()
        kind = TYPES.get(file.suffix, "application/octet-stream")
        return route.fulfill(body=file.read_bytes(), content_type=kind)


def reader(page: TflitePage) -> reading_program.ReadCard:
    """Cards through the page: with the whole reader, or with the network alone and NumPy around it."""
    if "whole" in page.artifact.stem:
        ((signature, (pictures, _)),) = page.signatures.items()
        return reading_program.whole(
            lambda images, widths: page.run(signature, images, widths.astype(np.int32)),
            [pictures["shape"][2]],
        )
    buckets = catalogue.target(Path(__file__).parent.name).buckets
    return reading_program.bare(lambda ink: page.run(f"columns{ink.shape[3]}", ink)[0], buckets)


def main() -> None:
    """The program; its clock stands still while something is on the way."""
    with ExitStack() as stack:
        pages = []

        def open_artifact(artifact: Path) -> reading_program.ReadCard:
            pages.append(stack.enter_context(TflitePage(artifact)))
            return reader(pages[-1])

        reading_program.main(
            __doc__, open_artifact, clock=lambda: time.perf_counter() - sum(page.on_the_way for page in pages)
        )


if __name__ == "__main__":
    main()
