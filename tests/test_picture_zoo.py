"""Every kind of picture against arithmetic: the greys of a file are known before it is written."""

import io
import struct
import zlib

import numpy as np
import PIL.Image
import PIL.ImageOps
import pytest

from fsdl_deploy.picture import decode

LUMA = np.array([0.299, 0.587, 0.114])
GREY, COLOUR, PALETTE, GREY_ALPHA, COLOUR_ALPHA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, COLOUR: 3, PALETTE: 1, GREY_ALPHA: 2, COLOUR_ALPHA: 4}
DEPTHS = {GREY: (1, 2, 4, 8, 16), PALETTE: (1, 2, 4, 8)} | dict.fromkeys(
    (COLOUR, GREY_ALPHA, COLOUR_ALPHA), (8, 16)
)
KINDS = [(kind, depth) for kind, depths in DEPTHS.items() for depth in depths]
ADAM7 = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def rows(samples, depth):
    """Rows of a PNG, each with filter 0, of samples int ``[H, W, C]``."""
    flat = samples.reshape(len(samples), -1)
    if depth == 16:
        packed = flat.astype(">u2").view(np.uint8)
    else:
        bits = np.unpackbits(flat.astype(np.uint8)[:, :, None], axis=2)[:, :, 8 - depth :]
        packed = np.packbits(bits.reshape(len(flat), -1), axis=1)
    return b"".join(b"\0" + row.tobytes() for row in packed)


def write_png(samples, kind, depth, extra=b"", interlaced=False):
    height, width, _ = samples.shape
    passes = ADAM7 if interlaced else [(0, 0, 1, 1)]
    parts = [samples[top::down, left::right] for top, left, down, right in passes]
    data = b"".join(rows(part, depth) for part in parts if part.size)
    head = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlaced)
    pieces = chunk(b"IHDR", head) + extra + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + pieces


def on_paper(colour, alpha):
    """Grey 0 to 255 of red, green, blue in 0 to 1 ``[H, W, 3]`` and of alpha ``[H, W]``, on white."""
    return 255 * ((colour @ LUMA) * alpha + 1 - alpha)


def picture_and_grey(kind, depth, transparent, interlaced):
    """A PNG of random samples, and the grey of each of its pixels by the PNG specification."""
    random = np.random.default_rng(kind * 100 + depth)
    most, channels = 2**depth - 1, CHANNELS[kind]
    samples = random.integers(0, most + 1, (21, 30, channels))
    samples[5:9] = samples[0, 0]  # many pixels of the colour that may be transparent
    samples[9:12] = samples[0, 0] ^ 1  # and of one that is nearly the same
    share, alpha, extra = samples / most, np.ones((21, 30)), b""
    if kind == PALETTE:
        palette = random.integers(0, 256, (most + 1, 3))
        share, extra = palette[samples[:, :, 0]] / 255, chunk(b"PLTE", palette.astype(np.uint8).tobytes())
        if transparent:
            clear = random.integers(0, 256, most + 1)
            extra += chunk(b"tRNS", clear.astype(np.uint8).tobytes())
            alpha = clear[samples[:, :, 0]] / 255
    elif kind in (GREY_ALPHA, COLOUR_ALPHA):
        alpha, share = share[:, :, -1], share[:, :, :-1]
    elif transparent:
        extra = chunk(b"tRNS", samples[0, 0].astype(">u2").tobytes())
        alpha = 1.0 - (samples == samples[0, 0]).all(axis=2)
    if share.shape[2] == 1:
        share = np.repeat(share, 3, axis=2)
    return write_png(samples, kind, depth, extra, interlaced), on_paper(share, alpha)


@pytest.mark.parametrize("interlaced", [False, True], ids=["rows", "interlaced"])
@pytest.mark.parametrize("transparent", [False, True], ids=["opaque", "transparent"])
@pytest.mark.parametrize(("kind", "depth"), KINDS)
def test_every_kind_of_png_has_the_greys_of_its_specification(kind, depth, transparent, interlaced):
    file, grey = picture_and_grey(kind, depth, transparent, interlaced)
    image = decode(file)
    # Two roundings to whole numbers, and what is lost where 16 bits become 8 by their high byte.
    assert image.dtype == np.uint8 and np.abs(image - grey).max() < 2.5


def broken(kind, depth):
    """tRNS chunks that say nothing, of a kind of PNG: of a wrong length, in a wrong place, damaged."""
    right = {GREY: 2, COLOUR: 6, PALETTE: 1}.get(kind, 0)
    long = 2**depth + 1 if kind == PALETTE else right + 1
    yield from (chunk(b"tRNS", bytes(size)) for size in {0, long, 300})
    if kind != PALETTE:
        yield from (chunk(b"tRNS", bytes(size)) for size in {1, right + 2, 256})
    yield chunk(b"tRNS", bytes(right))[:-4] + b"bad!"


@pytest.mark.parametrize(("kind", "depth"), KINDS)
def test_a_broken_transparency_refuses_no_picture_and_says_nothing(kind, depth):
    file, grey = picture_and_grey(kind, depth, transparent=False, interlaced=False)
    start = file.index(b"IDAT") - 4
    for odd in broken(kind, depth):
        assert np.abs(decode(file[:start] + odd + file[start:]) - grey).max() < 2.5
    if kind == PALETTE:  # before the palette whose entries it speaks of
        assert np.abs(decode(file[:33] + chunk(b"tRNS", b"\0") + file[33:]) - grey).max() < 2.5


def saved(picture, kind, **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def drawn(mode):
    """A smooth picture of a mode, which JPEG keeps well."""
    down, right = np.mgrid[0:40, 0:64]
    planes = [4 * right, 6 * down, 255 - 3 * right, 255 - 2 * down - right][: len(mode)]
    return PIL.Image.merge(
        mode, [PIL.Image.fromarray(plane.clip(0, 255).astype(np.uint8)) for plane in planes]
    )


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("kind", ["WEBP", "BMP"])
def test_webp_and_bmp_have_the_greys_of_their_colours(mode, kind):
    picture = drawn(mode)
    share = np.asarray(picture) / 255
    # The fourth byte of a BMP of this form means nothing: whoever reads it as alpha sees white paper.
    alpha = share[:, :, 3] if (kind, mode) == ("WEBP", "RGBA") else np.ones(share.shape[:2])
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    assert np.abs(decode(saved(picture, kind, **options)) - on_paper(share[:, :, :3], alpha)).max() < 2.5


def write_bmp(bits, rows, head=b"", compression=0):
    """A BMP of ``rows``, the lowest first; ``head`` follows its first 40 bytes of description: its masks."""
    data = b"".join(row.tobytes() for row in rows[::-1])
    width, start = rows[0].nbytes * 8 // bits, 54 + len(head)
    size = 40 if len(head) < 60 else 40 + len(head)  # the longer description holds the masks
    facts = struct.pack("<IiiHHIIiiII", size, width, len(rows), 1, bits, compression, len(data), 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", start + len(data), 0, 0, start) + facts + head + data


@pytest.mark.parametrize("alpha", ["random", "zero"])
def test_a_bmp_with_alpha_and_one_whose_alpha_nobody_wrote(alpha):
    samples = np.random.default_rng(0).integers(0, 256, (20, 30, 4))
    if alpha == "zero":
        samples[:, :, 3] = 0
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + b"BGRs" + bytes(48)
    file = write_bmp(32, samples[:, :, [2, 1, 0, 3]].astype(np.uint8), masks, compression=3)
    clear = samples[:, :, 3] / 255 if alpha == "random" else np.ones((20, 30))
    assert np.abs(decode(file) - on_paper(samples[:, :, :3] / 255, clear)).max() < 2.5


@pytest.mark.parametrize("bits", [(5, 5, 5), (5, 6, 5)])
def test_a_bmp_of_two_bytes_a_pixel(bits):
    most = 2 ** np.array(bits) - 1
    samples = np.random.default_rng(0).integers(0, most + 1, (20, 30, 3))
    places = np.array([bits[1] + bits[2], bits[2], 0])
    rows = (samples << places).sum(axis=2).astype("<u2")
    head = struct.pack("<III", *(int(mask) for mask in most << places))
    assert np.abs(decode(write_bmp(16, rows, head, 3)) - on_paper(samples / most, 1)).max() < 2.5


@pytest.mark.parametrize("kind", ["1", "L", "P"])
@pytest.mark.parametrize("form", ["GIF", "BMP", "PNG"])
def test_few_colours(kind, form):
    picture = drawn("RGB").convert(kind)
    grey = on_paper(np.asarray(picture.convert("RGB")) / 255, 1)
    assert np.abs(decode(saved(picture, form)) - grey).max() < 1.5


@pytest.mark.parametrize("palette", ["grey", "colour"])
def test_a_gif_with_a_transparent_colour(palette):
    values = np.tile(np.arange(32, dtype=np.uint8), (10, 1))
    picture = PIL.Image.fromarray(values).convert("P")
    colours = np.repeat(np.arange(256), 3).reshape(256, 3)
    if palette == "colour":
        colours = np.random.default_rng(0).integers(0, 256, (256, 3))
    picture.putpalette(colours.astype(np.uint8).tobytes())
    grey = on_paper(colours[values] / 255, 1.0 - (values == 3))
    assert np.abs(decode(saved(picture, "GIF", transparency=3)) - grey).max() < 1.5


def test_a_gif_whose_first_picture_covers_a_part_lies_on_white_paper():
    file = saved(PIL.Image.new("L", (20, 10), 0), "GIF")
    larger = file[:6] + struct.pack("<HH", 40, 30) + file[10:]  # of the canvas only
    image = decode(larger)
    assert image.shape == (30, 40) and (image[:10, :20] == 0).all() and (image[10:] == 255).all()


def inks(picture):
    """Red, green, blue in 0 to 1 of cyan, magenta, yellow and black, 0 to 255."""
    share = np.asarray(picture, float) / 255
    return (1 - share[:, :, :3]) * (1 - share[:, :, 3:])


def test_jpeg_in_cmyk_and_ycck():
    picture = drawn("CMYK")
    file = saved(picture, "JPEG", quality=100)
    assert np.abs(decode(file) - on_paper(inks(picture), 1)).max() < 5
    # The same numbers in the file, now with Adobe's word that they are YCCK. Adobe keeps inks inverted.
    luma, blue, red = (255 - np.asarray(plane, float) for plane in picture.split()[:3])
    cyan = luma + 1.402 * (red - 128)
    magenta = luma - 0.344136 * (blue - 128) - 0.714136 * (red - 128)
    yellow = luma + 1.772 * (blue - 128)
    black = np.asarray(picture)[:, :, 3]
    planes = np.stack([cyan, magenta, yellow, black], axis=2).clip(0, 255)
    place = file.index(b"Adobe") + 11
    assert file[place] == 0
    file = file[:place] + b"\2" + file[place + 1 :]
    assert np.abs(decode(file) - on_paper(inks(planes), 1)).max() < 6


def test_jpeg_in_colour():
    share = np.asarray(drawn("RGB")) / 255
    for options in ({}, {"progressive": True}, {"subsampling": 0}, {"keep_rgb": True}):
        file = saved(drawn("RGB"), "JPEG", quality=100, **options)
        assert np.abs(decode(file) - on_paper(share, 1)).mean() < 2, options
