"""Reads pictures for a program in another language: a version and a PNG's base64 in, a line of JSON out.

Lines come on standard input, ``VERSION BASE64``. A version alone loads it, before any card does.
The last two versions stay loaded: cards on the way when the version changes need the earlier one.
"""

import base64
import io
import json
import os
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import onnxruntime
import PIL.Image

MODELS, MOST_PIXELS = Path(os.environ["MODELS"]), 10**6
sessions: dict[str, onnxruntime.InferenceSession] = {}


def session(version: str) -> onnxruntime.InferenceSession:
    if version not in sessions:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        graph = onnxruntime.InferenceSession(MODELS / f"{version}.onnx", options, ["CPUExecutionProvider"])
        read(graph, np.full((32, 96), 255, np.uint8))
        while len(sessions) > 1:
            sessions.pop(next(iter(sessions)))
        sessions[version] = graph
    return sessions[version]


def read(graph, image: np.ndarray) -> str:
    digits, _, _ = graph.run(None, {"pictures": image[None], "widths": np.array([image.shape[1]])})
    return "".join(str(digit) for digit in digits[0] if digit >= 0)


def decode(data: bytes) -> np.ndarray:
    """A PNG as uint8 ``[H, W]``; ValueError says what is wrong with it."""
    at, whole = 8, False
    while at + 12 <= len(data) and not whole:
        end = at + 8 + struct.unpack_from(">I", data, at)[0]
        if end + 4 > len(data) or zlib.crc32(data[at + 4 : end]) != struct.unpack_from(">I", data, end)[0]:
            break
        whole, at = data[at + 4 : at + 8] == b"IEND", end + 4
    if not whole:
        raise ValueError("not a whole PNG: a part is missing, or its checksum is wrong")
    with PIL.Image.open(io.BytesIO(data), formats=["PNG"]) as picture:
        if picture.width * picture.height > MOST_PIXELS:
            raise ValueError(f"more than {MOST_PIXELS:,} pixels: crop it to the card")
        return np.asarray(picture.convert("L"))


def answer(line: str) -> dict:
    version, _, picture = line.partition(" ")
    try:
        graph = session(version)
    except Exception as error:  # whatever a broken file leads to: the caller keeps its version
        return {"model": f"{version} does not load: {error}"[:300]}
    if not picture:
        return {"ready": version}
    try:
        return {"digits": read(graph, decode(base64.b64decode(picture, validate=True)))}
    except (OSError, SyntaxError, ValueError, PIL.Image.DecompressionBombError) as error:
        return {"problem": str(error)[:300]}


for line in sys.stdin:
    print(json.dumps(answer(line.strip())), flush=True)
