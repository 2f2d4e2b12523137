"""What stands beside the pixels: it turns a picture, and it refuses none."""

import io
import itertools
import re
import struct
import subprocess
import sys
import zlib

import numpy as np
import PIL.Image
import PIL.ImageOps
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsdl_deploy.cards import cards
from fsdl_deploy.picture import PictureError, decode
from fsdl_deploy.picture_parts import MAX_PARTS, orientation, split

CARD = next(cards(1)).image[:, :100]  # not so wide that it may not stand upright
GREY = PIL.Image.fromarray(CARD)
COLOUR = PIL.Image.merge("RGB", [GREY, GREY.point(lambda value: value // 2 + 60), GREY])


def saved(picture, kind, **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def exif(value, order="<", kind=3, count=1, others=b"", many=0):
    """EXIF with the orientation, behind ``many`` entries ``others``."""
    head = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(f"{order}IH", 8, 1 + many)
    form = {1: "Bxxx", 3: "Hxx", 4: "I"}.get(kind, "I")
    return head + others + struct.pack(f"{order}HHI{form}I", 0x0112, kind, count, value, 0)


def segment(marker, data):
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(data) + 2) + data


def chunk(kind, data, check=None):
    check = struct.pack(">I", zlib.crc32(kind + data)) if check is None else check
    return struct.pack(">I", len(data)) + kind + data + check


def in_jpeg(data):
    return lambda file: file[:2] + segment(0xE1, b"Exif\0\0" + data.removeprefix(b"Exif\0\0")) + file[2:]


def in_png(data):
    return lambda file: file[:33] + chunk(b"eXIf", data) + file[33:]


FILES = {
    "grey JPEG": (saved(GREY, "JPEG"), in_jpeg),
    "progressive grey JPEG": (saved(GREY, "JPEG", progressive=True), in_jpeg),
    "colour JPEG": (saved(COLOUR, "JPEG"), in_jpeg),
    "grey PNG": (saved(GREY, "PNG"), in_png),
    "colour PNG": (saved(COLOUR, "PNG"), in_png),
    "PNG of 16 bits": (saved(PIL.Image.fromarray(CARD.astype(np.uint16) * 257), "PNG"), in_png),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("order", "<>")
def test_each_orientation_of_each_kind(name, turn, order):
    file, place = FILES[name]
    upright = PIL.Image.fromarray(decode(file))
    upright.getexif()[0x0112] = turn
    assert np.array_equal(
        decode(place(exif(turn, order))(file)), np.asarray(PIL.ImageOps.exif_transpose(upright))
    )


@pytest.mark.parametrize("turn", range(1, 9))
def test_webp_is_turned_too(turn):
    plain = PIL.Image.fromarray(decode(saved(GREY, "WEBP", lossless=True)))
    plain.getexif()[0x0112] = turn
    file = saved(GREY, "WEBP", lossless=True, exif=exif(turn))
    assert np.array_equal(decode(file), np.asarray(PIL.ImageOps.exif_transpose(plain)))


@pytest.mark.parametrize("name", ["grey JPEG", "colour JPEG"])
def test_a_thumbnail_hides_no_orientation(name):
    file, place = FILES[name]
    thumbnail = segment(0xE0, b"JFXX\0\x10" + saved(GREY.resize((32, 8)), "JPEG"))
    turned = place(exif(6))(file)
    assert decode(file[:2] + thumbnail + turned[2:]).shape == CARD.T.shape
    # The thumbnail's own orientation is not the picture's.
    inside = segment(0xE2, in_jpeg(exif(8))(saved(GREY.resize((32, 8)), "JPEG")))
    assert (decode(file[:2] + inside + turned[2:]) == decode(turned)).all()


def test_the_first_orientation_counts_wherever_it_stands():
    file = FILES["grey PNG"][0]
    behind = file[:-12] + chunk(b"eXIf", exif(6)) + file[-12:]
    assert decode(behind).shape == CARD.T.shape
    grey = FILES["grey JPEG"][0]
    assert decode(in_jpeg(exif(6))(in_jpeg(exif(3))(grey))).shape == CARD.T.shape


@pytest.mark.parametrize(
    ("odd", "turn"),
    [
        (exif(6, kind=4), 6),
        (exif(6, kind=1), 6),
        (exif(6, count=7), 6),
        (
            exif(6, others=struct.pack("<HHIf", 0x011A, 5, 9, -0.0), many=1),
            6,
        ),  # a fraction without its numbers
        (exif(6, others=struct.pack("<HHII", 0x011A, 2, 0xFFFFFFFF, 0xFFFFFFFF), many=1), 6),
        (exif(6, others=struct.pack("<HHII", 0x8769, 99, 1, 8), many=1), 6),  # a directory that holds itself
        (exif(6) + b"rest" * 100, 6),
        (exif(6)[:-4], 6),
        (exif(0), 1),
        (exif(9), 1),
        (exif(6)[:16], 1),
        (b"II*\0", 1),
        (b"II*\0\xff\xff\xff\xff", 1),
        (b"", 1),
        (b"Exif\0\0" + exif(8), 8),
        (b"http://ns.adobe.com/xap/1.0/", 1),
    ],
)
def test_odd_exif(odd, turn):
    assert orientation(odd) == turn
    for file, place in FILES.values():
        assert decode(place(odd)(file)).shape == (CARD if turn < 5 else CARD.T).shape


XMP = b"http://ns.adobe.com/xap/1.0/\0<x"
BEGINNINGS = [
    b"", b"Exif\0\0", b"Exif\0\0II*\0", b"Exif\0\0MM\0*", XMP, b"ICC_PROFILE\0\1\1", b"MPF\0II*\0",
    b"MPF\0MM\0*\0\0\0\x08", b"Photoshop 3.0\x008BIM", b"FPXR\0", b"JFIF\0", b"JFXX\0", b"Adobe", b"\0\1\2",
    b"II*\0\x08\0\0\0", b"profile\0\0", b"Raw profile type exif\0\0", b"XML:com.adobe.xmp\0\1\0\0\0",
]  # fmt: skip
CHUNKS = b"iCCP tEXt zTXt iTXt pHYs gAMA cHRM eXIf sPLT hIST bKGD tIME acTL fcTL fdAT iDOT sRGB sBIT cICP"


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0xE0, 0xEF) | st.just(0xFE),
    st.sampled_from(BEGINNINGS),
    st.binary(max_size=60),
    st.sampled_from(list(FILES)),
)
def test_nothing_beside_the_pixels_of_a_jpeg_refuses_it(marker, beginning, data, name):
    file, place = FILES[name]
    if place is in_png or (marker, beginning) == (0xEE, b"Adobe"):  # that one says which colours there are
        return
    odd = file[:2] + segment(marker, beginning + data) + file[2:]
    assert np.array_equal(decode(odd), decode(file))


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(CHUNKS.split()),
    st.sampled_from(BEGINNINGS),
    st.binary(max_size=60),
    st.sampled_from([None, b"bad!"]),
    st.booleans(),
    st.sampled_from(list(FILES)),
)
def test_nothing_beside_the_pixels_of_a_png_refuses_it(kind, beginning, data, check, behind, name):
    file, place = FILES[name]
    if place is in_jpeg:
        return
    at = len(file) - 12 if behind else 33
    odd = file[:at] + chunk(kind, beginning + data, check) + file[at:]
    assert np.array_equal(decode(odd), decode(file))


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=60), st.binary(max_size=60), st.binary(max_size=60))
def test_nothing_beside_the_pixels_of_a_webp_refuses_it(data, profile, words):
    odd = saved(COLOUR, "WEBP", exif=b"II*\0" + data, icc_profile=profile, xmp=words)
    assert np.array_equal(decode(odd), decode(saved(COLOUR, "WEBP")))


@settings(max_examples=40, deadline=None)
@given(st.binary(min_size=8, max_size=8), st.binary(min_size=1, max_size=200))
def test_nothing_beside_the_pixels_of_a_bmp_or_gif_refuses_it(resolution, comment):
    bmp, gif = saved(COLOUR, "BMP"), saved(GREY, "GIF")
    assert np.array_equal(decode(bmp[:38] + resolution + bmp[46:]), decode(bmp))
    assert np.array_equal(decode(saved(GREY, "GIF", comment=comment)), decode(gif))


def test_real_metadata_of_every_kind_together():
    options = {"dpi": (300, 300), "icc_profile": b"x" * 200_000, "comment": b"hello", "xmp": b"<x/>"}
    file = saved(COLOUR, "JPEG", exif=b"Exif\0\0" + exif(3), **options)
    assert np.array_equal(decode(file), decode(saved(COLOUR, "JPEG"))[::-1, ::-1])


def test_a_picture_whose_pixels_are_cut_off_is_still_refused():
    for file, place in FILES.values():
        for data in (file, place(exif(6))(file)):
            with pytest.raises(PictureError, match="damaged"):
                decode(data[: len(data) * 2 // 3])


def test_a_png_without_its_end_is_whole():
    for name in ("grey PNG", "colour PNG"):
        file = FILES[name][0]
        cut = file[:-12] + chunk(b"tEXt", b"a" * 50)[:30]
        assert np.array_equal(decode(cut), decode(file))


def test_as_many_parts_as_a_real_file_has_are_no_fault():
    file = FILES["colour JPEG"][0]
    parts = b"".join(itertools.repeat(segment(0xE2, b"ICC_PROFILE\0" + bytes(200)), 1000))
    assert np.array_equal(decode(file[:2] + parts + file[2:]), decode(file))
    with pytest.raises(PictureError, match="small parts"):
        decode(file[:2] + segment(0xE9, b"") * MAX_PARTS + file[2:])


# -- Photographs of today's phones


def photograph(width, height, mode="RGB"):
    """A JPEG as large as a phone's, of one strip that repeats; and that strip's file."""
    high = 16 if mode == "RGB" else 8  # a row of blocks, after which the decoder starts anew
    small = np.random.default_rng(0).integers(40, 220, (2, width // 256), np.uint8)
    strip = PIL.Image.fromarray(small).resize((width, high), PIL.Image.Resampling.BILINEAR).convert(mode)
    file = saved(strip, "JPEG", quality=20, optimize=True, restart_marker_rows=1)
    scan = file.index(b"\xff\xda")
    start = scan + 2 + int.from_bytes(file[scan + 2 : scan + 4])
    strips, pixels = height // high, file[start:-2].removesuffix(b"\xff\xd0")
    between = (b"\xff" + bytes([0xD0 + place % 8]) for place in range(strips - 1))
    data = b"".join(itertools.chain.from_iterable(zip(itertools.repeat(pixels), between, strict=False)))
    return resized(file[:start], width, high * strips) + data + pixels + b"\xff\xd9", file


def resized(file, width, height):
    """A JPEG's bytes with another size in its header."""
    frame = re.search(rb"\xff[\xc0\xc2]\0.\x08", file, re.DOTALL).end()
    return file[:frame] + struct.pack(">HH", height, width) + file[frame + 4 :]


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize(("width", "height", "factor"), [(5712, 4272, 2), (9248, 6928, 4)])
def test_a_photograph_of_today_is_read_at_a_part_of_its_size(width, height, factor, mode):
    file, strip = photograph(width, height, mode)
    image = decode(file)
    part = np.asarray(PIL.Image.open(io.BytesIO(strip)).convert("L").reduce(factor), float)
    assert image.shape == (height // factor, width // factor)
    assert np.abs(image - np.tile(part, (len(image) // len(part), 1))).mean() < 2
    assert decode(in_jpeg(exif(6))(file)).shape == (width // factor, height // factor)


MEMORY = """
import resource, sys
from pathlib import Path
from fsdl_deploy.picture import decode
small, large = (Path(name).read_bytes() for name in sys.argv[1:])
unit = 2**20 if sys.platform == "darwin" else 2**10
most = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
decode(small)
before = most()
print(*decode(large).shape, most() - before)
"""


@pytest.mark.parametrize(
    ("width", "height", "left"),
    [
        (8064, 6048, ["3024", "4032"]),  # 48 megapixels, at a half
        (9248, 6928, ["1732", "2312"]),  # 64 megapixels and a little more, at a quarter
        (12_032, 9024, ["2256", "3008"]),  # 108
        (16_384, 12_288, ["3072", "4096"]),  # 201
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no resource module")
def test_a_photograph_of_a_phone_takes_little_memory(width, height, left, tmp_path):
    (tmp_path / "small.jpg").write_bytes(photograph(640, 480)[0])
    (tmp_path / "large.jpg").write_bytes(photograph(width, height)[0])
    command = [sys.executable, "-c", MEMORY, "small.jpg", "large.jpg"]
    out = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout.split()
    assert out[:2] == left
    assert float(out[2]) < 100, "MiB; Pillow would take 190 for its colours, four bytes a pixel"


@pytest.mark.parametrize(
    "file",
    [
        resized(saved(COLOUR, "JPEG", progressive=True), 5712, 4284),  # a decoder holds all of it at once
        resized(saved(COLOUR, "JPEG"), 18_400, 14_000),
        resized(saved(GREY, "JPEG"), 33_000, 1000),
        FILES["grey PNG"][0][:8]
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 5712, 4284, 8, 0, 0, 0, 0))
        + FILES["grey PNG"][0][33:],
    ],
    ids=["progressive", "258 megapixels", "too wide", "PNG"],
)
def test_what_is_too_large_is_refused_with_advice(file):
    with pytest.raises(PictureError, match=r"above the limit of 8192 .*save it smaller"):
        decode(file)


def test_only_a_jpeg_in_one_scan_counts_as_row_by_row():
    assert split(FILES["grey JPEG"][0]).row_by_row and split(FILES["colour JPEG"][0]).row_by_row
    assert not split(FILES["progressive grey JPEG"][0]).row_by_row
    file = FILES["colour JPEG"][0]
    one_colour = file.index(b"\xff\xda") + 4  # a scan of one colour: two more will follow
    assert file[one_colour] == 3
    assert not split(file[:one_colour] + b"\1" + file[one_colour + 1 :]).row_by_row
