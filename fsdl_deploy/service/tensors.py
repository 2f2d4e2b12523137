"""The tensors of the Open Inference Protocol: what the reader takes and gives, over REST and over gRPC.

A tensor has a name, a datatype, a shape and its data: numbers in JSON, or bytes. The reader is there as two
models that differ in their input: ``meter-reader`` takes encoded pictures, ``meter-reader-pixels`` takes
pixels. Knows nothing about how a message travels.

Source: Open Inference Protocol, https://github.com/kserve/open-inference-protocol
"""

import math
from collections.abc import Iterable, Sequence
from itertools import chain

import numpy as np

from fsdl_deploy.picture import Image, PictureError, check
from fsdl_deploy.service import parsing
from fsdl_deploy.service.answer import Answer
from fsdl_deploy.service.refusal import Refusal

ENCODED, PIXELS = "meter-reader", "meter-reader-pixels"
INPUTS = {
    ENCODED: {"pictures": ("BYTES", [-1])},
    PIXELS: {"pixels": ("UINT8", [-1, -1, -1]), "widths": ("INT64", [-1])},
}
OUTPUTS = {"digits": ("BYTES", [-1]), "confidence": ("FP32", [-1]), "digit_confidence": ("FP32", [-1, -1])}
DTYPES = {"UINT8": "u1", "INT64": "<i8", "FP32": "<f4"}


def as_object(value: object, field: str) -> dict:
    if not isinstance(value, dict):
        raise Refusal(400, field, "must be an object")
    return value


def elements(data: bytes, field: str) -> list[bytes]:
    """The elements of a BYTES tensor: before each its length in four bytes, the lowest first."""
    parts, place = [], 0
    while place < len(data):
        size = int.from_bytes(data[place : place + 4], "little")
        if place + 4 + size > len(data):
            raise Refusal(400, field, "an element is longer than its tensor")
        parts.append(data[place + 4 : place + 4 + size])
        place += 4 + size
    return parts


def joined(elements: Iterable[bytes]) -> bytes:
    """A BYTES tensor of these elements."""
    return b"".join(len(element).to_bytes(4, "little") + element for element in elements)


def tensor(
    request_input: dict, name: str, kind: str, dimensions: int, binary: memoryview
) -> tuple[object, int]:
    """One input: an array, or for BYTES a list of str (JSON) or bytes; and how many bytes it took."""
    if request_input.get("datatype") != kind:
        raise Refusal(400, name, f"the datatype is {kind}")
    shape = request_input.get("shape")
    if not isinstance(shape, list) or not all(type(side) is int and side >= 0 for side in shape):
        raise Refusal(400, name, "the shape is a list of whole numbers")
    if len(shape) != dimensions:
        raise Refusal(400, name, f"the shape has {dimensions} dimensions, not {len(shape)}")
    count, taken = math.prod(shape), 0
    size = as_object(request_input.get("parameters", {}), f"{name}.parameters").get("binary_data_size")
    if size is not None:
        if type(size) is not int or not 0 <= size <= len(binary):
            raise Refusal(400, name, f"binary_data_size must be 0 to {len(binary)}: so many bytes are left")
        data, taken = bytes(binary[:size]), size
        if kind == "BYTES":
            data = elements(data, name)
        elif len(data) != count * np.dtype(DTYPES[kind]).itemsize:
            raise Refusal(400, name, f"{len(data)} bytes do not fill the shape {shape}")
        else:
            return _shaped(np.frombuffer(data, DTYPES[kind]), shape, name), taken
    else:
        data = request_input.get("data")
        if not isinstance(data, list):
            raise Refusal(400, name, "data is missing: a list of the tensor's elements")
        if kind != "BYTES":
            return _numbers(data, name, kind, shape), taken
    if len(data) != count:
        raise Refusal(400, name, f"{len(data)} elements do not fill the shape {shape}")
    return data, taken


def _numbers(data: list, name: str, kind: str, shape: list[int]) -> np.ndarray:
    """Whole numbers from JSON, nested or flat; ``true`` is none.

    The types come before the array: numpy would give every element the room of the longest string.
    """
    lengths = {len(data)}
    while (kinds := set(map(type, data))) == {list} and len(lengths) == 1:
        lengths = set(map(len, data))
        data = list(chain.from_iterable(data))
    if len(lengths) > 1 or kinds == {int, list}:
        raise Refusal(400, name, "the lists in data have different lengths")
    limits = np.iinfo(DTYPES[kind])
    problem = f"data holds whole numbers from {limits.min} to {limits.max}"
    if not kinds <= {int}:
        raise Refusal(400, name, problem)
    if len(data) != math.prod(shape):
        raise Refusal(400, name, f"{len(data)} elements do not fill the shape {shape}")
    try:  # the quickest way to bytes looks at their limits too
        values = np.frombuffer(bytes(data), "u1") if kind == "UINT8" else np.array(data, DTYPES[kind])
    except (ValueError, OverflowError):
        raise Refusal(400, name, problem) from None
    return _shaped(values, shape, name)


def _shaped(values: np.ndarray, shape: list[int], name: str) -> np.ndarray:
    try:
        return values.reshape(shape)
    except ValueError:  # no elements, and sides that numpy cannot count
        raise Refusal(400, name, f"the shape {shape} is too big") from None


def images_of(model: str, tensors: dict, max_pictures: int) -> list[Image]:
    """The pictures that the input tensors of ``model`` hold. Raises Refusal."""
    if missing := [name for name in INPUTS[model] if name not in tensors]:
        raise Refusal(400, "inputs", f"{', '.join(missing)} is missing")
    if model == PIXELS:
        return _cut(tensors["pixels"], tensors["widths"], max_pictures)
    for place, picture in enumerate(tensors["pictures"]):
        if not isinstance(picture, str | bytes):
            raise Refusal(400, f"pictures[{place}]", "must be a string: the picture in base64")
    return parsing.decode_pictures(tensors["pictures"], max_pictures)


def tensors_of(answer: Answer) -> dict[str, list[bytes] | np.ndarray]:
    """The outputs: ``digits`` and ``confidence`` ``[N]``, ``digit_confidence`` ``[N, T]`` padded with 0."""
    return {
        "digits": [reading.digits.encode() for reading in answer.readings],
        "confidence": np.array([reading.confidence for reading in answer.readings], np.float32),
        "digit_confidence": _padded([reading.digit_confidence for reading in answer.readings]),
    }


def _cut(pixels: np.ndarray, widths: np.ndarray, max_pictures: int) -> list[Image]:
    """Pixels uint8 ``[N, H, W]``, padded on the right, and the width of each picture."""
    if not 1 <= len(pixels) <= max_pictures:
        raise Refusal(400, "pixels", f"{len(pixels)} pictures: send 1 to {max_pictures} in one request")
    if len(widths) != len(pixels):
        raise Refusal(400, "widths", f"{len(widths)} widths for {len(pixels)} pictures")
    if pixels.size > parsing.MAX_PIXELS:
        raise Refusal(400, "pixels", f"more than {parsing.MAX_PIXELS:,} pixels in all: send fewer")
    if widths.min() < 1 or widths.max() > pixels.shape[2]:
        raise Refusal(400, "widths", f"a width is 1 to {pixels.shape[2]}, the width of the tensor")
    images = [picture[:, :width] for picture, width in zip(pixels, widths.tolist(), strict=True)]
    for place, image in enumerate(images):
        try:
            check(image)
        except PictureError as error:
            raise Refusal(400, f"pixels[{place}]", str(error)) from None
    return images


def _padded(rows: Sequence[Sequence[float]]) -> np.ndarray:
    padded = np.zeros((len(rows), max(map(len, rows), default=0)), np.float32)
    for row, values in zip(padded, rows, strict=True):
        row[: len(values)] = values
    return padded
