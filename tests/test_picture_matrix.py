"""Each mode in each format, with each transparency and with what may stand beside the pixels

The greys of a file are known before it is written, by arithmetic of its colours. A cell of the matrix is read
as that picture, upright, or it is refused with advice.
"""

import io
import itertools
import struct
import warnings

import numpy as np
import PIL.Image
import pytest
from test_picture_zoo import chunk, on_paper, picture_and_grey

from fsdl_deploy.picture import FORMATS, PictureError, decode

HEIGHT, WIDTH = 22, 34
MODES = (
    "1",
    "L",
    "LA",
    "I;16",
    "I;16B",
    "I",
    "F",
    "P",
    "PA",
    "RGB",
    "RGBA",
    "RGBX",
    "CMYK",
    "YCbCr",
    "LAB",
    "HSV",
)


def ramps(count):
    """Smooth planes uint8 ``[H, W, count]`` that JPEG keeps: each runs in another direction."""
    down, right = np.mgrid[0:HEIGHT, 0:WIDTH]
    planes = [7 * right, 11 * down, 255 - 5 * right - 3 * down, 60 + 4 * down + 3 * right]
    return np.stack([plane.clip(0, 255) for plane in planes[:count]], axis=2).astype(np.uint8)


def of_mode(mode):
    """A picture of a mode, and the greys float ``[H, W]`` of its pixels on white paper."""
    luma, three, four = ramps(1)[:, :, 0], ramps(3), ramps(4)
    new = PIL.Image.fromarray
    if mode == "1":
        return new(luma).point(lambda value: 255 * (value > 99), "1"), 255.0 * (luma > 99)
    if mode == "LA":
        alpha = four[:, :, 3]
        return PIL.Image.merge("LA", [new(luma), new(alpha)]), 255 - (255.0 - luma) * alpha / 255
    if mode in ("I;16", "I;16B", "I"):
        wide = luma.astype(np.uint16) * 257
        form = {"I;16": "<u2", "I;16B": ">u2", "I": "<i4"}[mode]
        return PIL.Image.frombytes(mode, (WIDTH, HEIGHT), wide.astype(form).tobytes()), luma.astype(float)
    if mode == "F":
        return new(luma.astype(np.float32)), luma.astype(float)
    if mode in ("P", "PA"):
        colours = np.random.default_rng(0).integers(0, 256, (256, 3))
        picture = new(luma).convert("P")
        picture.putpalette(colours.astype(np.uint8).tobytes())
        return picture.convert("PA") if mode == "PA" else picture, on_paper(colours[luma] / 255, 1)
    if mode == "CMYK":
        share = four / 255
        return new(four, "CMYK"), on_paper((1 - share[:, :, :3]) * (1 - share[:, :, 3:]), 1)
    if mode == "YCbCr":  # grey by construction: no colour, and brightness is what the luma says
        flat = np.full_like(luma, 128)
        return PIL.Image.merge("YCbCr", [new(luma), new(flat), new(flat)]), luma.astype(float)
    if mode == "RGBA":
        return new(four), on_paper(three / 255, four[:, :, 3] / 255)
    if mode == "RGBX":
        return new(four, "RGBX"), on_paper(three / 255, 1)
    if mode in ("LAB", "HSV"):
        return new(three).convert(mode) if mode == "HSV" else new(three, "LAB"), on_paper(three / 255, 1)
    return (new(luma), luma.astype(float)) if mode == "L" else (new(three), on_paper(three / 255, 1))


def saved(picture, form, **options):
    """The bytes of a picture in a format; None where Pillow writes no such file."""
    file = io.BytesIO()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # mode I, until Pillow 13
            picture.save(file, form, **options)
    except (OSError, ValueError, KeyError, SystemError, AttributeError, struct.error):
        return None
    return file.getvalue()


def segment(marker, data):
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(data) + 2) + data


def exif(turn, order="<", kind=3):
    """EXIF that says how the picture is turned, and after it a tag that claims to be as long as all files."""
    head = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(f"{order}IH", 8, 2)
    turned = struct.pack(f"{order}HHI" + {3: "Hxx", 4: "I"}[kind], 0x0112, kind, 1, turn)
    return head + turned + struct.pack(f"{order}HHIII", 0x9286, 7, 0xFFFFFFFF, 8, 0)


XMP = (
    b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><r tiff:Orientation='6'/></x:xmpmeta>"  # not EXIF: it turns nothing
)
PROFILE = b"no profile, but as long as one " * 9
METADATA = {f"turned {turn}": (turn, {"exif": exif(turn)}) for turn in range(1, 9)} | {
    "nothing": (1, {}),
    "big-endian": (6, {"exif": exif(6, ">", 4)}),
    "of no known turn": (1, {"exif": exif(9)}),
    "cut off": (1, {"exif": exif(6)[:17]}),
    "leads nowhere": (1, {"exif": b"II*\0\xff\xff\xff\x7f"}),
    "no EXIF": (1, {"exif": b"photographed by Ann"}),
    "XMP": (1, {"xmp": XMP}),
    "ICC": (1, {"icc_profile": PROFILE}),
    "all": (8, {"exif": exif(8), "xmp": XMP, "icc_profile": PROFILE}),
}


def beside(file, form, parts):
    """The file with EXIF, XMP and a colour profile put in, byte by byte: no library repairs them."""
    if form == "PNG":
        chunks = {
            "exif": lambda data: chunk(b"eXIf", data),
            "xmp": lambda data: chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + data),
            "icc_profile": lambda data: chunk(b"iCCP", b"profile\0\0" + data),
        }
        return file[:33] + b"".join(chunks[name](data) for name, data in parts.items()) + file[33:]
    if form == "JPEG":
        segments = {
            "exif": lambda data: segment(0xE1, b"Exif\0\0" + data),
            "xmp": lambda data: segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + data),
            "icc_profile": lambda data: segment(0xE2, b"ICC_PROFILE\0\1\1" + data),
        }
        return file[:2] + b"".join(segments[name](data) for name, data in parts.items()) + file[2:]
    if form == "GIF":  # nobody reads there how a picture is turned
        start = 13 + (3 << (file[10] & 7) + 1 if file[10] & 0x80 else 0)
        blocks = b"".join(
            b"!\xff\x0bXMP DataXMP" + bytes([len(d[:255])]) + d[:255] + b"\0" for d in parts.values()
        )
        return file[:start] + blocks + file[start:]
    return file


def in_webp(file, parts):
    """A WebP in its longer form, with EXIF, XMP and a profile in the chunks that it has for them."""
    picture = PIL.Image.open(io.BytesIO(file))
    flags = 0x10 * (picture.mode == "RGBA") | 8 * ("exif" in parts) | 4 * ("xmp" in parts)
    flags |= 0x20 * ("icc_profile" in parts)
    size = b"".join(struct.pack("<I", side - 1)[:3] for side in picture.size)
    body = file[12:] if file[12:16] != b"VP8X" else file[30:]

    def part(kind, data):
        return kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)

    named = {name: part(kind, parts[name]) for name, kind in WEBP.items() if name in parts}
    whole = part(b"VP8X", bytes([flags, 0, 0, 0]) + size) + named.pop("icc_profile", b"") + body
    whole += b"".join(named.values())
    return b"RIFF" + struct.pack("<I", 4 + len(whole)) + b"WEBP" + whole


WEBP = {"icc_profile": b"ICCP", "exif": b"EXIF", "xmp": b"XMP "}
OPTIONS = {
    "JPEG": {"quality": 100, "subsampling": 0},
    "WEBP": {"lossless": True, "exact": True},
}
TOLERANCE = {"JPEG": 5.0}  # of 255; elsewhere two roundings, or the low byte of sixteen bits


def upright(grey, turn):
    """What a viewer shows of rows and columns by EXIF 2.32, tag 274, written out as the tag's table says."""
    first_row = {1: "top", 2: "top", 3: "bottom", 4: "bottom", 5: "left", 6: "right", 7: "right", 8: "left"}[
        turn
    ]
    first_column = {
        1: "left",
        2: "right",
        3: "right",
        4: "left",
        5: "top",
        6: "top",
        7: "bottom",
        8: "bottom",
    }[turn]
    turned = grey if first_row in ("top", "bottom") else grey.T  # the file's rows are the picture's columns
    if "bottom" in (first_row, first_column):
        turned = turned[::-1]
    if "right" in (first_row, first_column):
        turned = turned[:, ::-1]
    return turned


def assert_read(file, form, grey, turns=True):
    """The file is read as ``grey``, with all metadata; what turns a picture turns it."""
    for name, (turn, parts) in METADATA.items():
        odd = in_webp(file, parts) if form == "WEBP" else beside(file, form, parts)
        known = upright(grey, turn if turns and form in ("PNG", "JPEG", "WEBP") else 1)
        image = decode(odd)
        assert image.dtype == np.uint8 and image.shape == known.shape, name
        assert np.abs(image - known).max() < TOLERANCE.get(form, 2.5), name


# Pillow gives these files other pixels than the mode has: it clips sixteen bits, and GIF has 256 colours.
OF_OTHER_PIXELS = {
    "GIF": {"LA", "PA", "RGB", "RGBA", "I;16", "I;16B", "I"},
    "WEBP": {"I;16", "I;16B", "I", "LAB", "HSV", "F"},
}
# Two formats of old programs begin with nothing that could be known; three are no pictures.
NAMELESS = {"SPIDER", "PALM", "BUFR", "GRIB", "HDF5"}
PIL.Image.init()
FILES = {
    f"{mode} in {form}": (mode, form, file)
    for mode, form in itertools.product(MODES, sorted({*PIL.Image.SAVE} - NAMELESS))
    if mode not in OF_OTHER_PIXELS.get(form, ())
    and (file := saved(of_mode(mode)[0], form, **OPTIONS.get(form, {})))
}


@pytest.mark.parametrize("name", FILES)
def test_each_mode_in_each_format_is_read_or_refused_with_advice(name):
    mode, form, file = FILES[name]
    if form in FORMATS:
        grey = of_mode(mode)[1]
        if (mode, form) == ("RGBA", "BMP"):  # the fourth byte of a BMP of this form means nothing
            grey = of_mode("RGBX")[1]
        assert_read(file, form, grey)
    elif form == "MPO":  # a JPEG with others behind it
        assert_read(file, "JPEG", of_mode(mode)[1])
    else:
        with pytest.raises(PictureError, match=r"formats .*GIF but .+: (send|export) it as"):
            decode(file)


def test_the_matrix_is_whole():
    """A writer of Pillow's that fails here would take its cells away without a word."""
    read = {(mode, form) for mode, form, _ in FILES.values() if form in FORMATS}
    whole = {
        "PNG": {"1", "L", "LA", "I;16", "P", "RGB", "RGBA"},
        "JPEG": {"1", "L", "RGB", "CMYK", "YCbCr"},
        "WEBP": {"L", "LA", "P", "RGB", "RGBA"},
        "BMP": {"1", "L", "P", "RGB", "RGBA"},
        "GIF": {"1", "L", "P"},
    }
    assert {*whole} == {*FORMATS}
    assert {(mode, form) for form, modes in whole.items() for mode in modes} <= read
    assert {"TGA", "TIFF", "ICO", "PPM", "AVIF", "JPEG2000"} <= {form for _, form, _ in FILES.values()}


DEEP = [(kind, depth) for kind in (0, 2, 4, 6) for depth in (8, 16)] + [(3, 8), (3, 4), (0, 1)]


@pytest.mark.parametrize("transparent", [False, True], ids=["opaque", "transparent"])
@pytest.mark.parametrize(("kind", "depth"), DEEP)
def test_each_transparency_of_a_png_with_all_that_stands_beside(kind, depth, transparent):
    file, grey = picture_and_grey(kind, depth, transparent, interlaced=False)
    assert_read(file, "PNG", grey)


@pytest.mark.parametrize(
    ("mode", "form"),
    [(mode, "PNG") for mode in ("1", "L", "P", "RGB", "I;16")] + [("L", "GIF"), ("P", "GIF")],
)
def test_one_transparent_colour_is_paper(mode, form):
    picture, grey = of_mode(mode)
    place = (3, 30)
    value = picture.getpixel(place[::-1])
    file = saved(picture, form, transparency=value)
    samples = np.asarray(picture) if mode != "1" else np.asarray(picture) * 255
    clear = (samples == value).reshape(HEIGHT, WIDTH, -1).all(axis=2)
    assert 0 < clear.sum() < clear.size
    assert_read(file, form, np.where(clear, 255.0, grey))


def test_colours_that_are_multiplied_already_are_refused_with_advice():
    """A TIFF may hold them (associated alpha, TIFF 6.0, section 18); no format that is read can."""
    straight = saved(of_mode("RGBA")[0], "TIFF")
    tags = [struct.pack("<HHIHH", 338, 3, 1, kind, 0) for kind in (2, 1)]  # ExtraSamples
    assert tags[0] in straight
    with pytest.raises(PictureError, match="but TIFF or a camera's raw file: send it as JPEG"):
        decode(straight.replace(*tags))
