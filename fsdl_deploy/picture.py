"""A picture as the reader wants it: uint8 ``[H, W]``, 0 black and 255 white, from whatever bytes arrive.

Every door of the course (command line, prototype, service) decodes through here, so that a bad
picture is refused in one way. Knows nothing about digits.

Pillow decodes, and simplejpeg (1 MB) a grey JPEG in half of Pillow's time. For a card's PNG no other library
is worth its place: OpenCV (150 MB), imagecodecs (80 MB) and pyspng (1 MB) need 0.8, 0.8 and 0.9 of its time;
``plain_png`` leaves out a sixth of it without another library.
"""

import contextlib
import io
import warnings
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import PIL.Image
from PIL.JpegImagePlugin import JpegImageFile

from fsdl_deploy import picture_parts, plain_png
from fsdl_deploy.picture_parts import Parts

try:
    import simplejpeg
except ImportError:  # a station without it: Pillow decodes everything
    simplejpeg = None

Image: TypeAlias = np.ndarray
"""uint8 ``[H, W]``, 0 is black ink, 255 is white paper."""

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
MAX_BYTES = 8 * 2**20
MAX_PIXELS = 16 * 10**6
MIN_SIDE, MAX_SIDE = 8, 8192
MAX_ASPECT = 40  # a line of digits wider than this would cost the reader gigabytes
MAX_UPRIGHT = 2  # a picture taller than so many times its width is a card on its side: it would be misread
MAX_REDUCTION = 4  # of a JPEG in one scan: 256 megapixels, more than phones have
MAX_READS = 20_000  # Pillow reads a block of a GIF's comment, at most 255 bytes, in two of them
ENOUGH = 256  # rows of a picture that a reader needs, eight times as many as its network
ADVICE = "crop it to the card, or save it smaller"


class PictureError(ValueError):
    """The bytes or the array are no picture that the reader can take; the message says why."""


def decode(data: bytes) -> Image:
    """Decode an encoded picture (PNG, JPEG, WebP, BMP, GIF) into uint8 ``[H, W]``.

    Transparent pixels become white paper, EXIF's orientation is applied; nothing else that stands beside the
    pixels matters. The header is checked against MAX_PIXELS before any pixel is decoded, so a decompression
    bomb costs nothing. A JPEG as cameras write it (in one scan) may have 16 times as many: it is decoded
    at a half or a quarter of its height and width. A picture more than twice as tall as wide is refused, for
    it would be misread. A file whose parts repeat so often that a decoder would take seconds over
    them is refused too. Raises PictureError with a sentence that says what is wrong.
    """
    if not data:
        raise PictureError("the picture has 0 bytes")
    if len(data) > MAX_BYTES:
        raise PictureError(
            f"the picture has {len(data):,} bytes, more than the limit of {MAX_BYTES:,}: {ADVICE}"
        )
    try:
        parts = picture_parts.split(data)
        image = _grey_jpeg(data, parts) if data.startswith(picture_parts.JPEG) else _plain_png(parts)
        return turned(*_by_pillow(parts)) if image is None else turned(image, parts.orientation)
    except PictureError:
        raise
    except picture_parts.PartsError as error:
        raise PictureError(str(error)) from None
    except PIL.Image.DecompressionBombError:
        raise PictureError(f"the picture is above the limit of {MAX_PIXELS:,} pixels: {ADVICE}") from None
    except PIL.UnidentifiedImageError:
        kind = picture_parts.foreign(data)  # and what to do
        raise PictureError(
            f"the bytes are not a picture in one of the formats {', '.join(FORMATS)}"
            + (f" but {kind[0]}: {kind[1]}" if kind else "")
        ) from None
    except Exception as error:  # decoders raise many types on damaged files: all mean the same here
        raise PictureError(f"the picture is damaged: {error}") from None


def turned(image: Image, orientation: int) -> Image:
    """The picture upright, by EXIF's orientation from 1 (it is) to 8."""
    if orientation >= 5:  # rows are columns
        image = image.T
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    return np.ascontiguousarray(image)


class _Steps(io.BytesIO):
    """A file that Pillow may ask for bytes MAX_READS times: it walks small parts in Python, some slowly."""

    reads = 0

    def read(self, size: int | None = -1) -> bytes:
        self.reads += 1
        if self.reads > MAX_READS:
            raise PictureError("the picture's file has too many small parts: save it again")
        return super().read(size)


def _grey_jpeg(data: bytes, parts: Parts) -> Image | None:
    """The pixels of a whole grey JPEG, the same as Pillow's in half its time; None for anything else."""
    if simplejpeg is None:
        return None
    with contextlib.suppress(ValueError):  # damaged: Pillow says how, or reads it all the same
        height, width, colours, _ = simplejpeg.decode_jpeg_header(data)
        if colours == "Gray" and not _too_large(height, width):
            _check_size(*((width, height) if parts.orientation >= 5 else (height, width)))
            return simplejpeg.decode_jpeg(data, "GRAY")[:, :, 0]
    return None


def _plain_png(parts: Parts) -> Image | None:
    """The pixels of a grey PNG as most cards are, None for anything else."""
    shape = plain_png.size(parts.data)
    if shape and min(shape) > 0 and not _too_large(*shape):  # else Pillow says what it is
        _check_size(*(shape[::-1] if parts.orientation >= 5 else shape))
        return plain_png.pixels(parts.data, *shape)
    return None


def _by_pillow(parts: Parts) -> tuple[Image, int]:
    """The pixels as they lie in the file, and the orientation."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # A compressed BMP is read by the byte or two, so its number of reads says nothing.
        file = io.BytesIO(parts.data) if parts.data.startswith(b"BM") else _Steps(parts.data)
        # Image.open refuses what is above 179 megapixels, before a reduction can be asked for.
        picture = JpegImageFile(file) if parts.row_by_row else PIL.Image.open(file, formats=FORMATS)
        orientation = parts.orientation
        if picture.format == "WEBP":
            orientation = picture_parts.orientation(picture.info.get("exif", b""))
        width, height = size = picture.size
        if parts.row_by_row and _too_large(height, width):
            factor = next((by for by in (2, MAX_REDUCTION) if not _too_large(height // by, width // by)), 1)
            picture.draft("L", (width // factor, height // factor))
            size = picture.size
        _check_size(*(size if orientation >= 5 else size[::-1]))
        covered = picture.tile[0][1] if picture.format == "GIF" else (0, 0, *picture.size)
        image = _grey(picture, parts.data)
        if covered != (0, 0, *picture.size):  # a GIF whose first picture leaves paper around it
            left, top, right, bottom = covered
            image[:top], image[bottom:], image[:, :left], image[:, right:] = 255, 255, 255, 255
        return image, orientation


def _grey(picture: PIL.Image.Image, data: bytes) -> Image:
    """The grey pixels of a picture on white paper: 0.299 red, 0.587 green, 0.114 blue."""
    key = picture.info.get("transparency")
    if picture.mode in ("LA", "RGBA", "PA") or (picture.mode == "P" and key is not None):
        picture = picture if picture.mode in ("LA", "RGBA") else picture.convert("RGBA")
        grey = PIL.Image.new("L", picture.size, 255)
        alpha = picture.getchannel("A")
        if picture.format == "BMP" and not alpha.getbbox():  # bytes that nobody wrote: so browsers take it
            alpha = None
        grey.paste(picture.convert("L"), mask=alpha)
    elif picture.mode.startswith("I"):  # 16 bits a pixel: convert("L") would clip, not scale
        deep = np.asarray(picture)
        eight = ((np.arange(2**16) * 255 + 2**15 - 1) // (2**16 - 1)).astype(np.uint8)
        if key is not None:
            eight[key] = 255
        return eight[deep]
    else:
        grey = picture if picture.mode == "L" else picture.convert("L")
    pixels = np.array(grey)
    if key is not None and picture.mode in ("1", "L", "RGB"):
        pixels[_has_colour(picture, key, data)] = 255
    return pixels


def _has_colour(picture: PIL.Image.Image, key: int | tuple, data: bytes) -> np.ndarray:
    """Which pixels have the colour ``key`` that a PNG (in its own depth) or a GIF calls transparent."""
    depth = data[24] if picture.format == "PNG" else 8
    most = 2**depth - 1
    pixels = np.asarray(picture)
    if picture.mode != "RGB":
        return pixels == (key & most) * (1 if picture.mode == "1" else 255) // most
    if depth == 8:
        return (pixels == np.array(key) & most).all(axis=2)
    # Of two bytes Pillow keeps the high one; of a file with the order reversed it keeps the low one.
    again = PIL.Image.open(io.BytesIO(data), formats=("PNG",))
    again.tile = [(*tile[:3], "RGB;16L") for tile in again.tile]
    same_low = (np.asarray(again) == np.array(key) & 255).all(axis=2)
    return same_low & (pixels == np.array(key) >> 8).all(axis=2)


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


def reduced(image: Image) -> Image:
    """The picture with each square of so many pixels averaged that ENOUGH to twice ENOUGH rows are left.

    A smaller one comes back as it is. The network sees 32 rows: it reads the same digits, with a confidence
    that moves by 0.0002 (median of 36 enlarged cards; by 0.09 where it was least sure).
    """
    factor = len(image) // ENOUGH
    return np.asarray(PIL.Image.fromarray(image).reduce(factor)) if factor > 1 else image


def check_all(images: Sequence[Image]) -> None:
    """``check`` each; PictureError names the place of the first that is no picture."""
    for place, image in enumerate(images):
        try:
            check(image)
        except PictureError as error:
            raise PictureError(f"picture {place}: {error}") from None


def _too_large(height: int, width: int) -> bool:
    return max(height, width) > MAX_SIDE or height * width > MAX_PIXELS


def _check_size(height: int, width: int) -> None:
    size = f"the picture is {width} × {height} pixels"
    if min(height, width) < MIN_SIDE:
        raise PictureError(f"{size}, smaller than {MIN_SIDE} on a side")
    if _too_large(height, width):
        raise PictureError(
            f"{size}, above the limit of {MAX_SIDE} on a side and {MAX_PIXELS:,} in all: {ADVICE}"
        )
    if height > MAX_UPRIGHT * width:
        raise PictureError(f"{size}, taller than wide: turn it, or crop it to the digits")
    if width > MAX_ASPECT * height:
        raise PictureError(f"{size}, wider than {MAX_ASPECT} times its height: crop it to the digits")
