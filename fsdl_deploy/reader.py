"""Readers with the model in this process: in torch, or in ONNX Runtime.

Pictures of one height and neighbouring widths go to the model together, padded with white. A picture of
megapixels is reduced before: the graph would take some 15 bytes a pixel, and ONNX Runtime keeps what it once
had. Knows nothing of where pictures come from.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import takewhile
from pathlib import Path

import numpy as np

from fsdl_deploy import devices, files, weights
from fsdl_deploy.picture import Image, PictureError, check_all, decode, reduced
from fsdl_deploy.reading import Reader, Reading

LATEST = "v2"
BATCH = 32
LARGE = 2**20
"""Pixels in one call of the model, padding too, above which the memory that it took is given back.

A batch of 32 cards has fewer. The arena would keep the most that any call took, for each thread.
"""
MOST_PIXELS = 2**22  # of pictures that go to the model together: 32 cards have a fifth of it


class OnnxReader:
    """The exported graph in ONNX Runtime: no torch in this process.

    ``threads`` is the number of threads of one call; one is best where many calls run at once. ``device`` is
    one of ``devices.DEVICES``; the attribute says where it computes: "cpu" or "cuda".
    Raises WeightsError when the model's file is missing or is not the one on record, DeviceError when there
    is no such device.
    """

    def __init__(self, version: str = LATEST, threads: int = 1, device: str = "cpu"):
        # It would keep an id of this machine in the user's cache folder, and report with it.
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        # Waiting threads must not spin: they would take the core from the web server beside them.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        graph = weights.verified(f"{version}.onnx")
        self.session, self.device = devices.onnx_session(graph, options, device)
        self.model_version = version

    def read(self, images: Sequence[Image]) -> list[Reading]:
        """Read pictures uint8 ``[H, W]`` of any sizes; one Reading each, in order."""
        return read_batches(images, self.run, self.model_version)

    def run(self, pictures: np.ndarray, widths: np.ndarray) -> Sequence[np.ndarray]:
        """The graph alone: pictures uint8 ``[N, H, W]`` and widths int64 ``[N]`` to its three outputs."""
        options = self._give_back() if pictures.size > LARGE and self.device == "cpu" else None
        return self.session.run(None, {"pictures": pictures, "widths": widths}, options)

    @staticmethod
    def _give_back():
        """Options of a run after which ONNX Runtime's arena gives back what it did not have before."""
        import onnxruntime

        options = onnxruntime.RunOptions()
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        return options


class TorchReader:
    """The same reader as the data scientist left it: torch, in this process.

    ``module``: a MeterReader to use instead of the one on record as ``version``. ``device`` and errors are
    those of OnnxReader.
    """

    def __init__(self, version: str = LATEST, module=None, device: str = "cpu"):
        self.device = devices.torch_device(device)
        module = weights.load(version) if module is None else module
        self.module = module.to(self.device)
        self.model_version = version

    def read(self, images: Sequence[Image]) -> list[Reading]:
        """Read pictures uint8 ``[H, W]`` of any sizes; one Reading each, in order."""
        return read_batches(images, self.run, self.model_version)

    def run(self, pictures: np.ndarray, widths: np.ndarray) -> Sequence[np.ndarray]:
        """The graph alone: pictures uint8 ``[N, H, W]`` and widths int64 ``[N]`` to its three outputs."""
        import torch

        inputs = (torch.from_numpy(array).to(self.device) for array in (pictures, widths))
        with torch.inference_mode():
            return [out.cpu().numpy() for out in self.module(*inputs)]


def open_reader(version: str = LATEST, url: str | None = None, device: str = "cpu") -> Reader:
    """The model in this process on ``device``, or the model service at ``url``: nothing else changes.

    ``FSDL_API_KEY`` in the environment is the service's key, where it wants one.
    """
    if url is not None:
        from fsdl_deploy.remote import RemoteReader

        return RemoteReader(url, api_key=os.environ.get("FSDL_API_KEY"))
    return OnnxReader(version, device=device)


def read_encoded(reader: Reader, pictures: Sequence[bytes]) -> list[Reading | PictureError]:
    """Decode pictures and read them in one call: a Reading each, in order, or what is wrong with it.

    For a server whose batch holds pictures of several callers: a bad one must not cost the others theirs.
    """
    answers: list = []
    for data in pictures:
        try:
            answers.append(decode(data))
        except PictureError as error:
            answers.append(error)
    good = [place for place, image in enumerate(answers) if not isinstance(image, PictureError)]
    for place, reading in zip(good, reader.read([answers[place] for place in good]), strict=True):
        answers[place] = reading
    return answers


def batches(images: Sequence[Image], size: int = BATCH) -> Iterator[tuple[list[int], np.ndarray, np.ndarray]]:
    """Yield (places, pictures uint8 ``[N, H, W]``, widths int64 ``[N]``): one height, neighbouring widths.

    Large pictures come reduced, and fewer at once. Raises PictureError naming the place of a picture that is
    none.
    """
    check_all(images)
    images = [reduced(image) for image in images]
    order = sorted(range(len(images)), key=lambda i: images[i].shape)
    while order:
        height = images[order[0]].shape[0]
        places = list(takewhile(lambda i: images[i].shape[0] == height, order[:size]))  # noqa: B023
        places = places[: max(1, MOST_PIXELS // images[places[-1]].size)]  # the last one is the widest
        order = order[len(places) :]
        yield places, *pad([images[i] for i in places])


def pad(images: Sequence[Image], width: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Pictures of one height as uint8 ``[N, H, W]``, white on the right, and their widths int64 ``[N]``.

    W is the widest picture's width, or ``width``.
    """
    widths = np.array([image.shape[1] for image in images], np.int64)
    pictures = np.full((len(images), images[0].shape[0], width or widths.max()), 255, np.uint8)
    for row, image in zip(pictures, images, strict=True):
        row[:, : image.shape[1]] = image
    return pictures, widths


def read_batches(images: Sequence[Image], run: Callable, version: str, size: int = BATCH) -> list[Reading]:
    """Read pictures uint8 ``[H, W]`` of any sizes in batches, by ``run``; one Reading each, in order.

    ``run``: from pictures uint8 ``[N, H, W]`` and widths int64 ``[N]`` to the graph's three outputs.
    ``size``: of a batch, at most. Raises PictureError naming the place of a bad picture.
    """
    readings: list[Reading | None] = [None] * len(images)
    for places, pictures, widths in batches(images, size):
        digits, sure, confidence = run(pictures, widths)
        counts = (digits >= 0).sum(axis=1)
        rows = (array.tolist() for array in (counts, digits, sure, confidence))  # Python's numbers, at once
        for place, count, row, row_sure, whole in zip(places, *rows, strict=True):
            readings[place] = Reading("".join(map(str, row[:count])), whole, tuple(row_sure[:count]), version)
    return readings


def add_arguments(parser) -> None:
    parser.add_argument("picture", nargs="+", metavar="PICTURE", help="PNG, JPEG, WebP, BMP or GIF files")
    parser.add_argument("--version", default=LATEST, help="which model")
    parser.add_argument("--device", choices=devices.DEVICES, default="cpu", help="where the model computes")
    parser.add_argument("--url", help="ask the model service at this URL instead")


def main(args) -> int:
    """Print one line a picture: file, digits, confidence. A bad file is named, and the rest is read."""
    reader, status = open_reader(args.version, args.url, args.device), 0
    for name in args.picture:
        label = files.printable(name)
        try:
            reading = reader.read([decode(Path(name).read_bytes())])[0]
        except OSError as error:
            print(f"{label}: {error.strerror or error}", file=sys.stderr)
            status = 1
        except PictureError as error:
            print(f"{label}: {error}", file=sys.stderr)
            status = 1
        else:
            print(f"{label}\t{reading.digits}\t{reading.confidence:.3f}", flush=True)
    return status
