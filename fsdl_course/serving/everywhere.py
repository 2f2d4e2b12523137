"""``fsdl-course everywhere``: the same cards through every server of the course; are the answers the same?

Each way starts a server, asks for one card at a time, and gives its digits and confidence. They are compared
with the reader in this process: the digits, and every bit of the confidence, a float32. What cannot run here
(a station that is not built, no container engine) is named and skipped.
"""

from collections.abc import Callable
from functools import partial

import httpx2
import numpy as np
from tqdm.auto import tqdm

from fsdl_course.serving.libraries import OURS, Library, libraries
from fsdl_course.serving.managed_servers import ask_vertex, azureml, vertex
from fsdl_course.serving.our_service import container, grpc, our_service
from fsdl_course.serving.packaging_tools import ask_cog, bentoml, cog, truss
from fsdl_course.serving.ways import DigitsAndConfidence, Way, base64_of, posting, way_of
from fsdl_deploy.cards import cards
from fsdl_deploy.packaging.engine import ContainerError
from fsdl_deploy.picture import Image, encode
from fsdl_deploy.reader import OnnxReader
from fsdl_deploy.running.servers import ServerError
from fsdl_deploy.running.stations import StationError


def ask_library(library: Library, web: httpx2.Client, image: Image) -> DigitsAndConfidence:
    body, headers = library.request(encode(image))
    return library.reading(web.post(library.path, content=body, headers=headers).raise_for_status().content)


def ways() -> dict[str, Way]:
    """Every way by its name: a context that starts a server and gives an ``Ask`` for each of its formats."""

    def as_json(image: Image) -> dict:
        return {"json": {"picture": base64_of(image)}}

    def as_list(image: Image) -> dict:
        return {"json": {"data": [base64_of(image)]}}

    servers = {
        "Cog": (cog, ask_cog),
        "BentoML": (bentoml, posting("/read", lambda image: {"files": {"picture": encode(image)}})),
        "Truss": (truss, posting("/v1/models/model:predict", as_json)),
        "Vertex AI's server": (vertex, ask_vertex),
        "Azure ML's server": (azureml, posting("/score", as_list, lambda document: document["readings"][0])),
    }
    for library in libraries().values():
        if library.name != OURS:
            name = f"{library.title}, batches" if library.title in servers else library.title
            servers[name] = (
                lambda folder, library=library: library.server(1, 0),
                partial(ask_library, library),
            )
    ours = {"our service": our_service, "gRPC": grpc, "container": container}
    return ours | {name: way_of(name, *how) for name, how in servers.items()}


def compare(
    images: list[Image],
    expected: list[DigitsAndConfidence],
    chosen: dict[str, Way],
    say: Callable[[str], None] = print,
) -> dict[str, tuple[int, float]]:
    """Name -> (cards whose digits differ, the largest difference of a confidence); 0, 0.0 is the same.

    A way that cannot start here is skipped, after a sentence.
    """
    differences = {}
    for name, way in chosen.items():
        try:
            with way() as formats:
                for label, ask in formats.items():
                    answers = [ask(image) for image in tqdm(images, label, unit="card", leave=False)]
                    other = sum(a[0] != b[0] for a, b in zip(answers, expected, strict=True))
                    # As float32, which the model computes: one server's JSON may round a double's last bit.
                    apart = _confidences(answers) - _confidences(expected)
                    differences[label] = (other, float(np.abs(apart).max()))
                    say(f"{label:30} {verdict(*differences[label])}")
        except (StationError, ServerError, ContainerError) as error:
            say(f"{name:30} skipped: {str(error).splitlines()[0]}")
    return differences


def _confidences(answers: list[DigitsAndConfidence]) -> np.ndarray:
    return np.float32([confidence for _, confidence in answers])


def verdict(other: int, apart: float) -> str:
    if not other and not apart:
        return "the same, to the last bit"
    return f"{other} cards have other digits, confidences differ by up to {apart:.1e}"


def add_arguments(parser) -> None:
    parser.add_argument("--cards", type=int, default=1000, help="how many")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=list(ways()),
        metavar="WAY",
        help=f"of {', '.join(ways())} (default: all)",
    )


def main(args) -> int:
    if args.cards < 1:
        raise ValueError("--cards must be at least 1")
    chosen = {name: way for name, way in ways().items() if not args.only or name in args.only}
    images = [card.image for card in cards(args.cards, "typical", seed=5)]
    reader = OnnxReader()
    readings = [reader.read([image])[0] for image in images]
    expected = [(reading.digits, reading.confidence) for reading in readings]
    differences = compare(images, expected, chosen)
    return 0 if differences and not any(map(any, differences.values())) else 1
