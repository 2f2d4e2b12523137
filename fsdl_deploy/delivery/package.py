"""What a delivery packages: the weights as one ONNX file, which must fit the interface and answer the same"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from fsdl_deploy import devices, weights
from fsdl_deploy.cards import cards
from fsdl_deploy.delivery.released_reader import FILE
from fsdl_deploy.packaging import onnx_export, parity
from fsdl_deploy.reader import TorchReader, batches

Packaging = Callable[[Path, Path], None]
"""(the folder of the weights, a new folder) -> the new folder has the files that are served."""
EQUAL = 1e-3  # the largest difference of confidences between two forms of one model
TAKES = {"pictures": ("tensor(uint8)", 3), "widths": ("tensor(int64)", 1)}
GIVES = {
    "digits": ("tensor(int64)", 2),
    "digit_confidence": ("tensor(float)", 2),
    "confidence": ("tensor(float)", 1),
}
"""The interface: of each tensor its type and its number of sizes, all of which must be free."""


class PackageError(RuntimeError):
    """The package does not fit; the message is the reason, in one sentence."""


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """torch computes on one thread: for a network so small, several wait for each other most of the time."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def export(model: Path, into: Path) -> None:
    """The usual packaging: the whole reader as ONNX."""
    onnx_export.export(weights.load("reader", model), "reader", into / FILE)


def published(version: str) -> Packaging:
    """A packaging that takes the graph of a version of ``models/``, which was exported before."""

    def copied(_: Path, into: Path) -> None:
        (into / FILE).write_bytes(weights.verified(f"{version}.onnx"))

    copied.__name__ = f"graph of {version}"
    return copied


def fits(model: Path, staged: Path) -> float:
    """How far the graph is from the weights, at most. Raises PackageError where they are no pair."""
    import onnxruntime

    if not (staged / FILE).is_file():
        raise PackageError(f"{FILE} is missing from the package")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    try:
        session, _ = devices.onnx_session((staged / FILE).read_bytes(), options)
    except Exception as error:  # whatever the runtime raises
        raise PackageError(f"{FILE} cannot be loaded: {' '.join(str(error).split())[:150]}") from None
    _interface(session.get_inputs(), TAKES)
    _interface(session.get_outputs(), GIVES)

    def graph(pictures, widths):
        return session.run(list(GIVES), {"pictures": pictures, "widths": widths})

    reader = TorchReader("reader", weights.load("reader", model))
    with one_thread():
        worst = max(parity.compare(reader.run, graph, _cases()), key=lambda apart: apart.largest)
    if worst.largest > EQUAL:
        why = worst.problem or f"its numbers are up to {worst.largest:.2g} off"
        raise PackageError(f"it answers otherwise than the weights on pictures {list(worst.shape)}: {why}")
    return worst.largest


def _interface(tensors: Sequence, right: dict[str, tuple[str, int]]) -> None:
    """Raises PackageError where a graph's inputs or outputs are not the ``right`` ones, of any size."""
    here = {tensor.name: tensor for tensor in tensors}
    if here.keys() != right.keys():
        raise PackageError(f"the graph has {', '.join(sorted(here))} where {', '.join(sorted(right))} belong")
    for name, (kind, sizes) in right.items():
        tensor = here[name]
        if tensor.type != kind or len(tensor.shape) != sizes:
            raise PackageError(
                f"{name} is {tensor.type} {tensor.shape}, and should be {kind} with {sizes} sizes"
            )
        if fixed := [size for size in tensor.shape if isinstance(size, int)]:
            raise PackageError(f"{name} has a fixed size, {fixed[0]}, and cards come in any")


def _cases() -> list[tuple[np.ndarray, np.ndarray]]:
    """Pictures of other numbers, heights and widths than the export's example."""
    drawn = [card.image for card in cards(6, "hard", seed=93)]
    return [(pictures, widths) for size in (1, 3) for _, pictures, widths in batches(drawn, size)]
