"""The parts of a picture's file: the pixels, for a decoder, and how the picture is turned

What cameras and programs write beside the pixels (EXIF, XMP, colour profiles, texts, previews) is often
broken or strange. It is left out before a decoder sees the file. So it cannot refuse a picture whose pixels
are whole, and costs neither time nor memory. Only EXIF's orientation is read. Knows nothing of pixels.
"""

import contextlib
import re
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8"
MAX_PARTS = 10_000  # a PNG of 8 MiB in its usual pieces of 8,192 has about 1,000
MAX_SCANS = 100  # a progressive JPEG has about 10
# JPEG markers with a length behind them, or the end. Others, and all bytes between, a decoder skips.
MARKER = re.compile(rb"\xff([\xc0-\xcf\xd9-\xfe])")
ORIENTATION = 0x0112  # EXIF's tag

SHOT = "send it as JPEG, which phones and viewers can export"
FRAME, UNPACK = "send a picture of it as JPEG", "unpack it and send each picture"
# The first bytes of what people send by mistake, what it is, and what to do instead. Of a file that begins
# with the box ``ftyp`` that box alone is looked at: its brands, of which the first says least.
FOREIGN = (
    (re.compile(rb"....ftyp(?!he)(....)*?avi[fs]", re.DOTALL), "AVIF", SHOT),
    (re.compile(rb"....ftyp(he|mif1|msf1)", re.DOTALL), "HEIC, as iPhones keep photographs", SHOT),
    (re.compile(rb"....ftypcrx ", re.DOTALL), "a camera's raw file (CR3)", SHOT),
    (re.compile(rb"....ftypjp[2xm]", re.DOTALL), "JPEG 2000", SHOT),
    (
        re.compile(rb"....(ftyp|moov|mdat|wide|free|skip)", re.DOTALL),
        "a film (MP4 or MOV)",
        FRAME,
    ),
    (re.compile(rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51"), "JPEG 2000", SHOT),
    (re.compile(rb"\0\0\0\x0cJXL |\xff\x0a"), "JPEG XL", SHOT),
    (re.compile(rb"II[*+]\0|MM\0[*+]"), "TIFF or a camera's raw file", SHOT),
    (re.compile(rb"\0\0[\1\2]\0[^\0]\0"), "an icon (ICO)", SHOT),
    (re.compile(rb"P[1-7Ff]\s"), "PNM (PPM, PGM, PBM or PFM)", SHOT),
    (re.compile(rb"8BPS\0"), "Photoshop's own file (PSD)", SHOT),
    (re.compile(rb"gimp xcf "), "GIMP's own file (XCF)", SHOT),
    (re.compile(rb"%PDF-"), "PDF", SHOT),
    (re.compile(rb"%!PS|\xc5\xd0\xd3\xc6"), "PostScript (EPS)", SHOT),
    (re.compile(rb"AT&TFORM"), "DjVu", SHOT),
    (re.compile(rb"icns"), "an icon (ICNS)", SHOT),
    (re.compile(rb"II\xbc\x01"), "JPEG XR", SHOT),
    (
        re.compile(rb"FUJIFILMCCD-RAW|IIU\0|IIR[OS]|MMOR|II\x1a\0\0\0HEAPCCDR|FOVb"),
        "a camera's raw file",
        SHOT,
    ),
    (re.compile(rb"DDS "), "DDS", SHOT),
    (re.compile(rb"qoif"), "QOI", SHOT),
    (re.compile(rb"BLP[12]"), "BLP", SHOT),
    (re.compile(rb"\x0a[\0\2-\5]\x01[\1\2\4\x08]"), "PCX", SHOT),
    (re.compile(rb"\x01\xda[\0\1][\1\2]\0[\1-\3]"), "SGI", SHOT),
    (re.compile(rb"DanM|LinS"), "MSP", SHOT),
    (re.compile(rb"\s*#define \w+_width|/\* XPM \*/"), "a picture as a program's text (XBM or XPM)", SHOT),
    (re.compile(rb"Image type: "), "IM", SHOT),
    (re.compile(rb"SIMPLE  ="), "FITS", SHOT),
    (
        re.compile(rb"\xd7\xcd\xc6\x9a|\x01\0\0\0.{36} EMF", re.DOTALL),
        "a drawing (WMF or EMF)",
        "export it as PNG",
    ),
    (
        re.compile(rb"\x28\0\0\0.{8}\x01\0[\1\4\x08\x10\x18\x20]\0", re.DOTALL),
        "a bitmap without its head (DIB)",
        SHOT,
    ),
    # TGA begins with no name of its own: a kind of picture, with a palette or zeros for it, then the depth.
    (
        re.compile(
            rb".(\0[\2\3\x0a\x0b]\0{5}|\x01[\1\x09].{4}[\x0f\x10\x18\x20]).{8}[\1\x08\x0f\x10\x18\x20][\0-\x3f]",
            re.DOTALL,
        ),
        "TGA",
        SHOT,
    ),
    (re.compile(rb"\s*data:image/"), "a picture written as text (a data URL)", "decode its Base64 first"),
    (re.compile(rb"RIFF....AVI |\x1a\x45\xdf\xa3", re.DOTALL), "a film (AVI, MKV or WebM)", FRAME),
    (re.compile(rb"\xd0\xcf\x11\xe0"), "an office document", UNPACK),
    (re.compile(rb"Rar!\x1a|7z\xbc\xaf|\x1f\x8b"), "an archive (RAR, 7-Zip or gzip)", UNPACK),
    (
        re.compile(rb"(\xef\xbb\xbf)?\s*<(svg|[?!].{0,2000}?<svg)\b", re.DOTALL),
        "a drawing (SVG)",
        "export it as PNG",
    ),
    (re.compile(rb"PK(\x03\x04|\x05\x06)"), "ZIP or an office document", UNPACK),
)


class PartsError(ValueError):
    """The file has so many parts that a decoder would take seconds over them; the message says so."""


class Parts(NamedTuple):
    """A file without what stands beside its pixels, and what was learned on the way."""

    data: bytes
    orientation: int = 1
    """EXIF's, from 1 (as it should be) to 8."""
    row_by_row: bool = False
    """A JPEG in one scan: a decoder holds a few rows of it at a time. Cameras write this kind."""


def split(data: bytes) -> Parts:
    """The parts of a PNG or JPEG; any other file as it is.

    Cheap: it steps from part to part and looks into none but EXIF. Raises PartsError.
    """
    if data.startswith(JPEG):
        return _jpeg(data)
    return _png(data) if data.startswith(PNG) else Parts(data)


def foreign(data: bytes) -> tuple[str, str] | None:
    """What these bytes are and what to do, if their beginning is known and no decoder here reads them."""
    if data[4:8] == b"ftyp":
        data = data[: max(12, int.from_bytes(data[:4]))]
    return next((advice for beginning, *advice in FOREIGN if beginning.match(data[:4096])), None)


def orientation(exif: bytes) -> int:
    """EXIF's orientation, 1 to 8, whatever else is broken in it; 1 where there is none.

    Pillow would read every tag, each of which may claim to be as long as the file.
    """
    exif = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        return 1
    with contextlib.suppress(struct.error):  # an offset that leads out of the data
        (start,) = struct.unpack_from(f"{order}I", exif, 4)
        (tags,) = struct.unpack_from(f"{order}H", exif, start)
        for place in range(start + 2, start + 2 + 12 * tags, 12):
            tag, kind, _ = struct.unpack_from(f"{order}HHI", exif, place)
            if tag == ORIENTATION:
                form = {1: "B", 3: "H", 4: "I"}.get(kind, "H")
                (value,) = struct.unpack_from(order + form, exif, place + 8)
                return value if 1 <= value <= 8 else 1
    return 1


def _jpeg(data: bytes) -> Parts:
    # Counting is cheap and never counts too few; other data may hold these two bytes by chance.
    if data.count(b"\xff\xda") > MAX_SCANS and _many_scans(data):
        raise PartsError(f"the picture is a JPEG of more than {MAX_SCANS} scans: save it again")
    kept, turn, sequential = [JPEG], 0, b""
    for number, (mark, place) in enumerate(_marks(data), 1):
        kind, start = mark[1][0], mark.end() + 2
        if kind == 0xD9:
            return Parts(data)  # no pixels: a decoder says so
        if kind == 0xDA:
            break
        body = data[start : min(place, start + 14)]
        if kind in (0xC0, 0xC1):
            sequential = body[5:6]  # the number of its colours
        if kind == 0xE1 and body.startswith(b"Exif\0"):
            turn = turn or orientation(data[start:place])
        # JFIF and Adobe say which colours the numbers are. A decoder ignores them too where they are short.
        colours = (kind == 0xE0 and body[:5] == b"JFIF\0") or (kind == 0xEE and body[:5] == b"Adobe")
        if not (0xE0 <= kind <= 0xEF or kind == 0xFE) or (colours and len(body) >= 12 + 2 * (kind == 0xE0)):
            kept.append(data[mark.start() : place])
        if number == MAX_PARTS:
            raise _too_many()
    else:
        return Parts(data)
    bare = b"".join([*kept, data[mark.start() :]])
    return Parts(bare, turn or 1, sequential != b"" and data[start : start + 1] == sequential)


def _many_scans(data: bytes) -> bool:
    scans = 0
    for mark, _ in _marks(data):
        if mark[1] == b"\xd9" or scans > MAX_SCANS:
            break
        scans += mark[1] == b"\xda"
    return scans > MAX_SCANS


def _marks(data: bytes) -> Iterator[tuple[re.Match, int]]:
    """The markers of a JPEG, each with the place behind what its length covers."""
    place = 2
    while mark := MARKER.search(data, place):
        place = mark.end() + max(2, int.from_bytes(data[mark.end() : mark.end() + 2]))
        yield mark, place


def _png(data: bytes) -> Parts:
    kept, turn, place, colours = [PNG], 0, len(PNG), 0
    for _ in range(MAX_PARTS):
        kind = data[place + 4 : place + 8]
        end = place + 12 + int.from_bytes(data[place : place + 4])
        if len(kind) < 4:
            break
        if kind == b"eXIf":
            turn = turn or orientation(data[place + 8 : end - 4])
        if kind == b"PLTE":
            colours = (end - place - 12) // 3
        # No small first letter: a decoder cannot do without it.
        if not kind[0] & 0x20 or (kind == b"tRNS" and _says_what_is_clear(data, place, end, colours)):
            kept.append(data[place:end])
        if kind == b"IEND":
            break
        place = end
    else:
        raise _too_many()
    return Parts(b"".join(kept), turn or 1)


def _says_what_is_clear(data: bytes, place: int, end: int, colours: int) -> bool:
    """Whether a PNG's tRNS is as it should be; if not, the picture has no transparency, as for libpng.

    It holds one grey, one colour, or the alpha of at most as many entries as the palette before it has.
    """
    kind, size = data[len(PNG) + 17], end - place - 12
    whole = data[end - 4 : end] == zlib.crc32(data[place + 4 : end - 4]).to_bytes(4)
    return whole and (
        (kind == 0 and size == 2) or (kind == 2 and size == 6) or (kind == 3 and 0 < size <= colours)
    )


def _too_many() -> PartsError:
    return PartsError("the picture's file has too many small parts: save it again")
