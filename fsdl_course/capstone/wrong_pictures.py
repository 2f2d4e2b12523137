"""Requests that a service has to refuse, each with the field that is at fault."""

import base64
import functools
import json
import struct
import zlib

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@functools.cache
def bomb(side: int = 20_000) -> bytes:
    """A PNG of ``side`` x ``side`` grey pixels in some 400 kB: unpacked it is ``side`` squared bytes."""
    packer = zlib.compressobj(9)
    row = bytes(side + 1)
    pixels = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    return (
        SIGNATURE
        + _chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
        + _chunk(b"IDAT", pixels)
        + _chunk(b"IEND", b"")
    )


def header_bomb() -> bytes:
    """A PNG whose header promises four thousand million pixels, with none behind it."""
    return (
        SIGNATURE
        + _chunk(b"IHDR", struct.pack(">IIBBBBB", 65_000, 65_000, 8, 0, 0, 0, 0))
        + _chunk(b"IDAT", zlib.compress(b""))
        + _chunk(b"IEND", b"")
    )


def wrong_crc(png: bytes) -> bytes:
    """The same PNG with one bit of its pixels turned: only the sum of the chunk tells."""
    at = png.index(b"IDAT") + 4
    length = struct.unpack(">I", png[at - 8 : at - 4])[0]
    data = bytearray(png)
    data[at + length] ^= 1  # the first byte of the chunk's own sum
    return bytes(data)


KINDS = {
    "no JSON": "body",
    "a list": "body",
    "no id": "id",
    "an id that is a number": "id",
    "no picture": "picture",
    "no base64": "picture",
    "no PNG": "picture",
    "cut off": "picture",
    "wrong CRC": "picture",
    "bomb": "picture",
    "header bomb": "picture",
}
"""What is wrong, and the field that the refusal has to name."""


def body(kind: str, identity: str, png: bytes, rng: np.random.Generator) -> bytes:
    """The body of a request that is wrong in the way of ``kind``, one of KINDS."""
    fields: dict = {"id": identity, "picture": _text(png)}
    if kind == "no JSON":
        return json.dumps(fields).encode()[:-9]
    if kind == "a list":
        return json.dumps([fields]).encode()
    if kind in ("no id", "no picture"):
        del fields[kind[3:]]
    elif kind == "an id that is a number":
        fields["id"] = int(rng.integers(1, 10**6))
    elif kind == "no base64":
        fields["picture"] = "!" + fields["picture"][1:]
    else:
        wrong = {
            "no PNG": lambda: rng.bytes(200),
            "cut off": lambda: png[: int(len(png) * rng.uniform(0.3, 0.8))],
            "wrong CRC": lambda: wrong_crc(png),
            "bomb": bomb,
            "header bomb": header_bomb,
        }
        fields["picture"] = _text(wrong[kind]())
    return json.dumps(fields).encode()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
