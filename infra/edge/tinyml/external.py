"""A trap: ``external.py IN.tflite OUT.tflite`` moves the weights out of the file's table, behind it.

The format allows it, for files that are too large for a table, and converters have written it for small ones.
An interpreter that does not know the two fields finds every weight empty.
"""

import json
import sys
from pathlib import Path

import flatbuffers
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

SMALL = 64  # bytes: shapes and sums of a few channels stay where they are


def packed(content) -> bytes:
    builder = flatbuffers.Builder(0)
    builder.Finish(content.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def external(model: bytes) -> bytes:
    """The same model with its larger buffers behind the table; their places count from the file's start."""
    content = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model, 0))
    moved = [buffer for buffer in content.buffers if buffer.data is not None and len(buffer.data) > SMALL]
    weights = [bytes(buffer.data) for buffer in moved]
    for buffer, data in zip(moved, weights, strict=True):
        buffer.data, buffer.offset, buffer.size = None, 1 << 30, len(data)  # a place as wide as the right one
    table = packed(content)
    place = len(table) + -len(table) % 16
    start = place
    for buffer, data in zip(moved, weights, strict=True):
        buffer.offset, place = place, place + len(data)
    return packed(content).ljust(start, b"\0") + b"".join(weights)


if __name__ == "__main__":
    written = external(Path(sys.argv[1]).read_bytes())
    Path(sys.argv[2]).write_bytes(written)
    print(json.dumps({"bytes": len(written)}))
