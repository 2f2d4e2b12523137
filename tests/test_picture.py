import io
import struct
import time
import zipfile
import zlib

import numpy as np
import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fsdl_deploy.cards import cards
from fsdl_deploy.picture import MAX_BYTES, PictureError, check, decode, encode


def png(picture, **options):
    file = io.BytesIO()
    picture.save(file, options.pop("format", "PNG"), **options)
    return file.getvalue()


@settings(max_examples=30, deadline=None)
@given(arrays(np.uint8, st.tuples(st.integers(8, 40), st.integers(20, 40))))
def test_png_keeps_every_pixel(image):
    assert (decode(encode(image)) == image).all()


def test_a_jpeg_is_smaller_and_nearly_the_same():
    image = next(cards(1)).image
    small = encode(image, quality=90)
    assert small[:2] == b"\xff\xd8" and len(small) < len(encode(image)) / 1.5
    decoded = decode(small)
    assert decoded.shape == image.shape and abs(decoded.astype(int) - image).mean() < 4


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 30}, {"restart_marker_rows": 1}])
def test_a_grey_jpeg_has_the_pixels_that_pillow_gives_it(options, monkeypatch):
    files = [png(PIL.Image.fromarray(card.image), format="JPEG", **options) for card in cards(5)]
    quick = list(map(decode, files))
    monkeypatch.setattr("fsdl_deploy.picture.simplejpeg", None)  # as in a station that has only Pillow
    for image, file in zip(quick, files, strict=True):
        assert image.dtype == np.uint8 and (image == decode(file)).all()


@pytest.mark.parametrize(
    "damage", [lambda file: file[: len(file) // 2], lambda file: file[:300], bytes.lower]
)
def test_a_damaged_grey_jpeg_is_refused_as_pillow_refuses_it(damage, monkeypatch):
    file = damage(encode(next(cards(1)).image, quality=90))
    problems = []
    for _ in range(2):
        with pytest.raises(PictureError) as refused:
            decode(file)
        problems.append(str(refused.value))
        monkeypatch.setattr("fsdl_deploy.picture.simplejpeg", None)
    assert problems[0] == problems[1]


def test_transparent_pixels_are_white_paper():
    picture = PIL.Image.new("RGBA", (20, 10), (0, 0, 0, 0))
    picture.putpixel((3, 4), (0, 0, 0, 255))
    image = decode(png(picture))
    assert image[4, 3] == 0 and image[0, 0] == 255


def test_palette_with_transparency_and_sixteen_bits():
    palette = PIL.Image.new("P", (10, 10), 0)
    palette.putpalette([0, 0, 0, 255, 255, 255])
    assert decode(png(palette, transparency=0))[0, 0] == 255
    deep = PIL.Image.fromarray(np.full((10, 10), 32768, np.uint16))
    assert abs(int(decode(png(deep))[0, 0]) - 127) <= 1, "scaled, not clipped to white"


def test_exif_rotation_is_applied():
    picture = PIL.Image.new("L", (40, 20), 255)
    exif = picture.getexif()
    exif[0x0112] = 6
    assert decode(png(picture, format="JPEG", exif=exif)).shape == (40, 20)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "F"])
def test_every_mode_gives_grey(mode):
    picture = PIL.Image.new(mode, (12, 9))
    kind = "TIFF" if mode in ("CMYK", "F") else "PNG"
    if kind == "TIFF":
        with pytest.raises(PictureError, match="formats"):
            decode(png(picture, format=kind))
    else:
        assert decode(png(picture)).shape == (9, 12)


def repeated_scan(times, picture):
    """A progressive JPEG with its last scan so many times more."""
    file = png(picture, format="JPEG", progressive=True)
    scan = file[file.rindex(b"\xff\xda") : -2]
    return file[:-2] + scan * times + file[-2:]


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def repeated_profile(times):
    """A PNG's colour profile that unpacks from a kilobyte to a megabyte."""
    return chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(2**20 - 10), 9)) * times


def gif_with(blocks):
    file = png(PIL.Image.new("L", (40, 40)), format="GIF")
    start = 13 + (3 << (file[10] & 7) + 1)
    return file[:start] + blocks + file[start:]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (lambda: repeated_scan(300, PIL.Image.new("L", (4000, 1000))), "scans"),
        (lambda: repeated_scan(300, PIL.Image.new("RGB", (4000, 1000))), "scans"),
        (lambda: gif_with(b"!\xfe\0" * 200_000), "small parts"),
        (lambda: gif_with(b"!\xfe" + b"\1a" * 100_000 + b"\0"), "small parts"),
        (lambda: gif_with(b"!\x01" + b"\1a" * 1_000_000 + b"\0"), "small parts"),
        # An extension that begins with an empty block hides what follows from a strict reader.
        (lambda: gif_with(b"!\x01\0" + b"," + b"1" * 44 + b"\0" + b"!\xfe\0" * 200_000), "small parts"),
        (lambda: gif_with(b"a" * 1_000_000), "small parts"),
        (lambda: b"\xff\xd8\xff\xe0\0\2" + b"\xff\xe9\0\2" * 1_000_000, "small parts"),
        (lambda: png(PIL.Image.new("L", (40, 40)))[:33] + chunk(b"prIv", b"") * 500_000, "small parts"),
    ],
)
def test_parts_that_repeat_without_end_are_refused_at_once(data, problem):
    file = data()
    start = time.process_time()
    with pytest.raises(PictureError, match=f"{problem}.*save it again"):
        decode(file)
    assert time.process_time() - start < 0.2


def exif_of_long_tags(tags=60_000, size=4 * 2**20):
    """EXIF whose tags all claim the same megabytes: whoever reads them all needs 240 GB."""
    entries = b"".join(struct.pack("<HHII", tag, 7, size, 8) for tag in range(1000, 1000 + tags))
    return b"II*\0" + struct.pack("<IH", 8, tags) + entries + bytes(size)


@pytest.mark.parametrize(
    "parts", [lambda: repeated_profile(2000), lambda: chunk(b"eXIf", exif_of_long_tags())]
)
def test_what_stands_beside_the_pixels_costs_nothing(parts):
    plain = encode(next(cards(1)).image)
    file = plain[:33] + parts() + plain[33:]
    start = time.process_time()
    assert (decode(file) == decode(plain)).all()
    assert time.process_time() - start < 0.2


def test_what_only_looks_like_many_scans_is_read():
    picture = PIL.Image.fromarray(next(cards(1)).image)
    plain, progressive = (png(picture, format="JPEG", progressive=yes) for yes in (False, True))
    thumbnails = b"\xff\xe9\x40\x02" + b"\xff\xda" * 0x2000  # in a segment of its own, and behind the end
    for file in (plain, progressive):
        assert (decode(file[:2] + thumbnails + file[2:] + thumbnails) == decode(file)).all()
    assert decode(repeated_scan(20, picture)).shape == decode(plain).shape
    commented = gif_with(b"!\xfe" + (b"\xff" + b"a" * 255) * 100 + b"\0")
    assert (decode(commented) == decode(gif_with(b""))).all()


def bomb():
    """A PNG header that promises 60,000 × 60,000 pixels, and little more."""
    head = struct.pack(">IIBBBBB", 60000, 60000, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "0 bytes"),
        (b"hello", "not a picture"),
        (bytes(MAX_BYTES + 1), "more than the limit.*save it smaller"),
        (bomb(), "above the limit.*save it smaller"),
        (png(PIL.Image.new("L", (4, 4))), "smaller than 8"),
        (png(PIL.Image.new("L", (9000, 10))), "above the limit"),
        (png(PIL.Image.new("L", (8000, 20))), "wider"),
        (png(PIL.Image.new("L", (20, 41))), "20 × 41 pixels, taller than wide: turn it"),
        (png(PIL.Image.new("L", (8, 256))), "taller than wide: turn it, or crop it to the digits"),
        (png(PIL.Image.new("L", (64, 512)), format="WEBP"), "taller than wide"),
        (encode(np.random.default_rng(0).integers(0, 255, (50, 50), dtype=np.uint8))[:900], "damaged"),
    ],
)
def test_bad_bytes_are_refused_with_a_reason(data, problem):
    with pytest.raises(PictureError, match=problem):
        decode(data)


def test_a_card_on_its_side_is_refused_at_every_door():
    image = next(cards(1)).image
    for wrong in (image.T, image[::-1].T):
        with pytest.raises(PictureError, match=f"64 × {image.shape[1]} pixels, taller than wide"):
            check(wrong)
        for kind in ("PNG", "JPEG", "WEBP", "BMP", "GIF"):
            with pytest.raises(PictureError, match="taller than wide"):
                decode(png(PIL.Image.fromarray(wrong), format=kind))
    upright = PIL.Image.fromarray(image.T)
    exif = upright.getexif()
    exif[0x0112] = 8  # by its orientation it lies as it should
    assert decode(png(upright, exif=exif)).shape == image.shape
    assert check(np.zeros((40, 20), np.uint8)).shape == (40, 20), "a single digit is tall"


def box(brands):
    """The first box of a file of the ISO's kind: its major brand, then all it is compatible with."""
    first, *others = [brands[start : start + 4] for start in range(0, len(brands), 4)]
    body = b"ftyp" + first + bytes(4) + b"".join(others)
    return struct.pack(">I", 4 + len(body)) + body


def zipped():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("card.png", b"pixels")
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "name", "advice"),
    [
        (box(b"heicmif1heic"), "HEIC", "send it as JPEG"),
        (box(b"mif1mif1heic"), "HEIC", "send it as JPEG"),
        (box(b"heixmif1avif"), "HEIC", "send it as JPEG"),
        (box(b"mif1mif1heic") + b"meta" + b"avif" * 9, "HEIC", "send it as JPEG"),
        (box(b"avifavifmif1"), "AVIF", "send it as JPEG"),
        (box(b"mif1mif1miafavif"), "AVIF", "send it as JPEG"),
        (box(b"msf1avis"), "AVIF", "send it as JPEG"),
        (box(b"crx isom"), "raw file", "send it as JPEG"),
        (box(b"jp2 jp2 "), "JPEG 2000", "send it as JPEG"),
        (box(b"isomiso2avc1mp41"), "film", "send a picture of it"),
        (box(b"qt  "), "film", "send a picture of it"),
        (b"\0\0\0\x08wide\0\0\1\0mdat", "film", "send a picture of it"),
        (png(PIL.Image.new("L", (40, 40)), format="JPEG2000"), "JPEG 2000", "send it as JPEG"),
        (b"\xff\x4f\xff\x51\0\x29", "JPEG 2000", "send it as JPEG"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL", "send it as JPEG"),
        (png(PIL.Image.new("L", (40, 40)), format="TIFF"), "TIFF", "send it as JPEG"),
        (png(PIL.Image.new("L", (40, 40)), format="TIFF", big_tiff=True), "TIFF", "send it as JPEG"),
        (b"MM\0+\0\x08\0\0", "TIFF", "send it as JPEG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG", "export it as PNG"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- a -->\n<svg/>", "SVG", "export it as PNG"),
        (b"%PDF-1.7", "PDF", "send it as JPEG"),
        (png(PIL.Image.new("L", (40, 40)), format="ICO"), "ICO", "send it as JPEG"),
        (png(PIL.Image.new("RGB", (40, 40)), format="PPM"), "PPM", "send it as JPEG"),
        (b"8BPS\0\1" + bytes(20), "PSD", "send it as JPEG"),
        (zipped(), "ZIP", "unpack it"),
        (b"gimp xcf v011\0", "GIMP", "send it as JPEG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "EPS", "send it as JPEG"),
        (b"AT&TFORM\0\0\1\0DJVU", "DjVu", "send it as JPEG"),
        (b"FUJIFILMCCD-RAW 0201", "raw file", "send it as JPEG"),
        (b"IIU\0\x18\0\0\0", "raw file", "send it as JPEG"),
        (b"II\xbc\1\x08\0\0\0", "JPEG XR", "send it as JPEG"),
        (b"\1\0\0\0" + bytes(36) + b" EMF\0\0\1\0", "EMF", "export it as PNG"),
        (b"data:image/png;base64,iVBORw0KGgo=", "data URL", "decode its Base64"),
        (b"RIFF\0\1\0\0AVI LIST", "film", "send a picture of it"),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81", "film", "send a picture of it"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "office document", "unpack it"),
        (b"7z\xbc\xaf\x27\x1c\0\4", "archive", "unpack it"),
    ],
)
def test_what_people_send_by_mistake_is_named_with_advice(data, name, advice):
    with pytest.raises(PictureError, match=f"not a picture in one of .* but [^:]*{name}[^:]*: {advice}"):
        decode(data)


@pytest.mark.parametrize(
    "data",
    [
        b"<html><body>",
        b"<?xml version='1.0'?><kml/>",
        b"PKware",
        box(b"mif1")[:6],
        bytes(40),
        b"\0\0\2" + bytes(13) + b"\x19\0",  # of no depth that a TGA has
        b"import numpy as np\n",
    ],
)
def test_what_only_begins_alike_has_no_name(data):
    with pytest.raises(PictureError, match=r"GIF$"):
        decode(data)


@pytest.mark.parametrize(
    "wrong", [None, [[0]], np.zeros((20, 20)), np.zeros((20, 20, 3), np.uint8), np.zeros((0, 9), np.uint8)]
)
def test_arrays_that_are_no_picture_are_refused(wrong):
    with pytest.raises(PictureError):
        check(wrong)
