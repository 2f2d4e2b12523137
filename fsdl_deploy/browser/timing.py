"""How fast a browser reads, beside ONNX Runtime in this process, in turns: a busy moment falls on both"""

import time
from collections.abc import Sequence

import numpy as np

from fsdl_deploy.browser.app_page import AppPage, as_argument
from fsdl_deploy.picture import Image
from fsdl_deploy.reader import OnnxReader

# Another reader beside the page's own, in a worker of its own: ONNX Runtime counts its threads once a page.
_THREADS = """async ({threads, pictures, rounds}) => {
  const {app} = await import("./main.js"), {part} = await import("./shelf.js");
  const model = await part(app.now().release.version, "model");
  const worker = new Worker("timing_worker.js", {type: "module"});
  const answer = new Promise((resolve, reject) => {
    worker.onmessage = ({data}) => resolve(data);
    worker.onerror = () => reject(new Error("the worker does not start"));
  });
  worker.postMessage({model, threads, pictures, rounds});
  const data = await answer;
  worker.terminate();
  if (data.problem) throw new Error(data.problem);
  return data;
}"""
_GPU = """async () => ({
  object: "gpu" in navigator, adapter: Boolean(await navigator.gpu?.requestAdapter()),
})"""
_ISOLATED = "() => ({isolated: crossOriginIsolated, cores: navigator.hardwareConcurrency})"


def ratio(page: AppPage, images: Sequence[Image], model: str = "v2", rounds: int = 3) -> float:
    """How many times as long as ONNX Runtime on one thread the page takes for a card, the median of all
    cards.

    Of each card the shortest of ``rounds`` times counts, on either side; the page's clock runs inside the
    page.
    """
    reader = OnnxReader(model)
    reader.read(images[:1])
    there, here = np.full(len(images), np.inf), np.full(len(images), np.inf)
    for _ in range(rounds):
        for place, image in enumerate(images):
            begin = time.perf_counter()
            reader.read([image])
            here[place] = min(here[place], time.perf_counter() - begin)
            there[place] = min(there[place], page.read(image)["milliseconds"] / 1000)
    return float(np.median(there / here))


def threads(page: AppPage, images: Sequence[Image], count: int, rounds: int = 3) -> dict[str, float]:
    """A reader with so many threads in a worker: ``start`` and ``card`` in milliseconds.

    ``card``: the median of the shortest times of the cards. More than one thread needs an isolated page: else
    ONNX Runtime falls back to one.
    """
    argument = {"threads": count, "pictures": [as_argument(image) for image in images], "rounds": rounds}
    answer = page.run(_THREADS, argument)
    return {"start": answer["start"], "card": float(np.median(answer["milliseconds"]))}


def abilities(page: AppPage) -> dict[str, bool | int]:
    """Whether the page is ``isolated``, its ``cores``; of WebGPU the ``object``, and a usable ``adapter``."""
    return page.run(_ISOLATED) | page.run(_GPU)
