"""Tests of the short way to a card's pixels: the same answer or refusal as Pillow's, whatever arrives."""

import io
import zlib

import numpy as np
import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsdl_deploy import picture, plain_png
from fsdl_deploy.cards import cards

CARD = next(iter(cards(1, "typical", seed=4))).image
PLAIN = picture.encode(CARD)


def part(kind, body):
    return len(body).to_bytes(4) + kind + body + zlib.crc32(kind + body).to_bytes(4)


def png(packed, height=40, width=90, header=b"\x08\0\0\0\0", pieces=1, more=b""):
    step = -(-len(packed) // pieces) or 1
    idats = b"".join(part(b"IDAT", packed[place : place + step]) for place in range(0, len(packed), step))
    head = part(b"IHDR", width.to_bytes(4) + height.to_bytes(4) + header)
    return b"\x89PNG\r\n\x1a\n" + head + more + idats + part(b"IEND", b"")


def outcome(data):
    try:
        return picture.decode(data).tolist()
    except picture.PictureError as error:
        return str(error)


def same_as_pillow(data):
    answer = outcome(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain_png, "size", lambda _: None)
        assert answer == outcome(data)


def test_a_card_takes_the_short_way_and_has_the_same_pixels(monkeypatch):
    monkeypatch.setattr(picture, "_by_pillow", None)  # calling it would raise
    assert (picture.decode(PLAIN) == CARD).all()
    assert picture.decode(PLAIN).flags.writeable


@pytest.mark.parametrize("filtered", range(5))
def test_each_filter_and_any_number_of_pieces(filtered):
    noise = np.random.default_rng(filtered).integers(0, 256, (40, 90), np.uint8)
    rows = b"".join(bytes([filtered]) + row.tobytes() for row in noise)
    for pieces in (1, 3, 50):
        data = png(zlib.compress(rows), pieces=pieces)
        assert plain_png.pixels(data, *plain_png.size(data)) is not None
        same_as_pillow(data)


ROWS = (b"\0" + bytes(range(90))) * 40
PACKED = zlib.compress(ROWS)
STRANGE = {
    "too few rows": png(zlib.compress(ROWS[: 91 * 30])),
    "too many rows": png(zlib.compress(ROWS + ROWS)),
    "bytes behind the stream": png(PACKED + b"more"),
    "the sum of the stream is wrong": png(PACKED[:-1] + b"?"),
    "no sum of the stream": png(PACKED[:-4]),
    "a filter that does not exist": png(zlib.compress((b"\x09" + bytes(90)) * 40)),
    "nothing": png(b""),
    "one bit": png(PACKED, header=b"\x01\0\0\0\0"),
    "interlaced": png(PACKED, header=b"\x08\0\0\0\1"),
    "an unknown compression": png(PACKED, header=b"\x08\0\1\0\0"),
    "colour": png(zlib.compress((b"\0" + bytes(270)) * 40), header=b"\x08\2\0\0\0"),
    "a clear grey": png(PACKED, more=part(b"tRNS", b"\0\5")),
    "an unknown part that matters": png(PACKED, more=part(b"ABCD", b"?")),
    "a text": png(PACKED, more=part(b"tEXt", b"a\0b")),
    "turned": png(PACKED, more=part(b"eXIf", b"II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0")),
    "no width": png(PACKED, width=0),
    "too small": png(PACKED, height=3),
    "too wide": png(PACKED, width=90_000),
    "a bomb": png(PACKED, height=2**31 - 1, width=2**31 - 1),
    "cut off": PLAIN[:-20],
    "no end": PLAIN[:-12],
    "bytes behind the end": PLAIN + b"more",
    "IDAT's sum is wrong": PLAIN[:-16] + b"????" + PLAIN[-12:],
    "IDAT's length is wrong": PLAIN[:33] + b"\0\1\0\0" + PLAIN[37:],
    "header's sum is wrong": PLAIN[:29] + b"????" + PLAIN[33:],
}


@pytest.mark.parametrize("data", STRANGE.values(), ids=STRANGE)
def test_what_is_strange_is_answered_as_pillow_does(data):
    same_as_pillow(data)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(PLAIN) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_damaged_bytes_are_answered_as_pillow_does(damage):
    data = bytearray(PLAIN)
    for place, value in damage:
        data[place] = value
    same_as_pillow(bytes(data))


def test_a_stream_with_valid_sums_but_any_bytes_is_answered_as_pillow_does():
    source = np.random.default_rng(0)
    for _ in range(200):
        packed = bytearray(PACKED)
        packed[source.integers(2, len(packed))] = source.integers(256)
        same_as_pillow(png(bytes(packed)))


def test_pillow_agrees_about_what_it_wrote_itself():
    for level in range(10):
        out = io.BytesIO()
        PIL.Image.fromarray(CARD).save(out, "PNG", compress_level=level)
        assert (picture.decode(out.getvalue()) == CARD).all()
