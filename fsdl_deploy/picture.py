"""A picture as the reader wants it: uint8 ``[H, W]``, 0 black and 255 white, from whatever bytes arrive.

Every door of the course (command line, prototype, service) decodes through here, so that a bad
picture is refused in one way. Knows nothing about digits.
"""

import contextlib
import io
import re
import warnings
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import PIL.Image
import PIL.ImageOps

try:
    import simplejpeg
except ImportError:  # a station without it: Pillow decodes everything
    simplejpeg = None

Image: TypeAlias = np.ndarray
"""uint8 ``[H, W]``, 0 is black ink, 255 is white paper."""

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
# In a JPEG: what phones put before the pixels (EXIF, XMP, and so perhaps a rotation), or the pixels.
EXIF_OR_PIXELS = re.compile(rb"\xff[\xe1\xda]")
MAX_BYTES = 8 * 2**20
MAX_PIXELS = 16 * 10**6
MIN_SIDE, MAX_SIDE = 8, 8192
MAX_ASPECT = 40  # a line of digits wider than this would cost the reader gigabytes
MAX_SCANS = 100  # a progressive JPEG has about 10
MAX_READS = 20_000  # a PNG of MAX_BYTES in its usual pieces of 8,192 takes about 3,000
# JPEG markers with a length behind them, or the end. Others, and all bytes between, a decoder skips.
MARKER = re.compile(rb"\xff([\xc0-\xcf\xd9-\xfe])")


class PictureError(ValueError):
    """The bytes or the array are no picture that the reader can take; the message says why."""


def decode(data: bytes) -> Image:
    """Decode an encoded picture (PNG, JPEG, WebP, BMP, GIF) into uint8 ``[H, W]``.

    Transparent pixels become white paper, EXIF rotation is applied. The header is checked against
    MAX_PIXELS before any pixel is decoded, so a decompression bomb costs nothing; a file whose parts
    repeat so often that a decoder would take seconds over them is refused too.
    Raises PictureError with a sentence that says what is wrong.
    """
    if not data:
        raise PictureError("the picture has 0 bytes")
    if len(data) > MAX_BYTES:
        raise PictureError(f"the picture has {len(data):,} bytes, more than the limit of {MAX_BYTES:,}")
    _check_parts(data)
    if (image := _grey_jpeg(data)) is not None:
        return image
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # A compressed BMP is read by the byte or two, so its number of reads says nothing.
            file = io.BytesIO(data) if data.startswith(b"BM") else _Steps(data)
            picture = PIL.Image.open(file, formats=FORMATS)
            _check_size(picture.height, picture.width)
            PIL.ImageOps.exif_transpose(picture, in_place=True)
            if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
                picture = picture.convert("RGBA")
                paper = PIL.Image.new("RGBA", picture.size, "white")
                picture = PIL.Image.alpha_composite(paper, picture)
            elif picture.mode.startswith("I"):  # 16 and 32 bits a pixel: convert("L") would clip, not scale
                picture = PIL.Image.fromarray(
                    (np.asarray(picture, np.float64) / 257).clip(0, 255).astype(np.uint8)
                )
            return np.array(picture if picture.mode == "L" else picture.convert("L"))
    except PictureError:
        raise
    except PIL.Image.DecompressionBombError:
        raise PictureError(f"the picture is above the limit of {MAX_PIXELS:,} pixels") from None
    except PIL.UnidentifiedImageError:
        raise PictureError(
            f"the bytes are not a picture in one of the formats {', '.join(FORMATS)}"
        ) from None
    except Exception as error:  # decoders raise many types on damaged files: all mean the same here
        raise PictureError(f"the picture is damaged: {error}") from None


def _check_parts(data: bytes) -> None:
    """Refuse a small file of many parts that each cost a decoder milliseconds: no limit above counts time."""
    if data.startswith(b"\xff\xd8"):
        # Counting is cheap and never counts too few; other data may hold these two bytes by chance.
        if data.count(b"\xff\xda") > MAX_SCANS and _many_scans(data):
            raise PictureError(f"the picture is a JPEG of more than {MAX_SCANS} scans: save it again")
    # Pillow unpacks each colour profile, up to a megabyte from a kilobyte; the standard allows one.
    elif data.startswith(b"\x89PNG") and data.count(b"iCCP") > 5:
        raise PictureError("the picture is a PNG of several colour profiles: save it again")


def _many_scans(data: bytes) -> bool:
    scans, place = 0, 2
    while (mark := MARKER.search(data, place)) and mark[1] != b"\xd9" and scans <= MAX_SCANS:
        scans += mark[1] == b"\xda"
        place = mark.end() + max(2, int.from_bytes(data[mark.end() : mark.end() + 2]))
    return scans > MAX_SCANS


class _Steps(io.BytesIO):
    """A file that Pillow may ask for bytes MAX_READS times: it walks small parts in Python, some slowly."""

    reads = 0

    def read(self, size: int | None = -1) -> bytes:
        self.reads += 1
        if self.reads > MAX_READS:
            raise PictureError("the picture's file has too many small parts: save it again")
        return super().read(size)


def _grey_jpeg(data: bytes) -> Image | None:
    """The pixels of a whole grey JPEG, the same as Pillow's in half its time; None for anything else."""
    mark = EXIF_OR_PIXELS.search(data)
    if simplejpeg is None or not data.startswith(b"\xff\xd8") or not mark or mark[0] != b"\xff\xda":
        return None
    with contextlib.suppress(ValueError):  # damaged: Pillow says how, or reads it all the same
        height, width, colours, _ = simplejpeg.decode_jpeg_header(data)
        if colours == "Gray":
            _check_size(height, width)
            return simplejpeg.decode_jpeg(data, "GRAY")[:, :, 0]
    return None


def encode(image: Image, quality: int | None = None) -> bytes:
    """Encode uint8 ``[H, W]`` as PNG; ``decode(encode(image))`` gives the same pixels.

    With a ``quality`` of 1 to 95 as JPEG, as phones send it: fewer bytes, and the pixels a little off.
    """
    out = io.BytesIO()
    if quality is None:
        PIL.Image.fromarray(check(image)).save(out, "PNG", compress_level=1)
    else:
        PIL.Image.fromarray(check(image)).save(out, "JPEG", quality=quality)
    return out.getvalue()


def check(image: Image) -> Image:
    """Return ``image`` if it is uint8 ``[H, W]`` of a size the reader takes, else raise PictureError."""
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 2:
        what = f"{image.dtype} {list(image.shape)}" if isinstance(image, np.ndarray) else type(image).__name__
        raise PictureError(f"the reader takes uint8 [H, W], not {what}: decode() makes one from a file")
    _check_size(*image.shape)
    return image


def check_all(images: Sequence[Image]) -> None:
    """``check`` each; PictureError names the place of the first that is no picture."""
    for place, image in enumerate(images):
        try:
            check(image)
        except PictureError as error:
            raise PictureError(f"picture {place}: {error}") from None


def _check_size(height: int, width: int) -> None:
    if min(height, width) < MIN_SIDE:
        raise PictureError(f"the picture is {width} × {height} pixels, smaller than {MIN_SIDE} on a side")
    if max(height, width) > MAX_SIDE or height * width > MAX_PIXELS:
        raise PictureError(
            f"the picture is {width} × {height} pixels, above the limit of {MAX_SIDE} on a side "
            f"and {MAX_PIXELS:,} in all"
        )
    if width > MAX_ASPECT * height:
        raise PictureError(
            f"the picture is {width} × {height} pixels, wider than {MAX_ASPECT} times its height"
        )
