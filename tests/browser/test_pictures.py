"""Pictures in the browser are those of Python: the same bytes of a PNG, the same card of a drawing.

Needs the station ``node``: stations.station("node").
"""

import base64
import io
import struct
import zlib

import numpy as np
import PIL.Image
import pytest

from fsdl_deploy.cards import cards
from fsdl_deploy.picture import PictureError, decode, encode, reduced
from fsdl_deploy.prototype.sketch import card_from_sketch

DECODE = """async (text) => {
  const {decode} = await import("./picture.js");
  const file = new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], "picture");
  try {
    const {pixels, width, height} = await decode(file);
    return {width, height, pixels: PACKED(pixels)};
  } catch (error) { return {problem: error.message, kind: error.constructor.name}; }
}"""
CALL = """async ({module, name, width, height, pixels}) => {
  const bytes = Uint8Array.from(atob(pixels), (c) => c.charCodeAt(0));
  const picture = (await import(module))[name]({width, height, pixels: bytes});
  return {...picture, pixels: PACKED(picture.pixels)};
}"""
PACKED = "((bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')))"


@pytest.fixture(scope="module")
def page(stage):
    return stage.fresh("v2").open()


def in_browser(page, data: bytes) -> np.ndarray:
    answer = page.run(DECODE.replace("PACKED", PACKED), base64.b64encode(data).decode())
    assert "problem" not in answer, answer
    return unpacked(answer)


def unpacked(answer: dict) -> np.ndarray:
    pixels = np.frombuffer(base64.b64decode(answer["pixels"]), np.uint8)
    return pixels.reshape(answer["height"], answer["width"])


def call(page, module: str, name: str, image: np.ndarray) -> np.ndarray:
    pixels = base64.b64encode(image.tobytes()).decode()
    argument = {"width": image.shape[1], "height": image.shape[0], "pixels": pixels}
    return unpacked(page.run(CALL.replace("PACKED", PACKED), {"module": module, "name": name, **argument}))


def saved(picture: PIL.Image.Image, kind: str = "PNG", **options) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


RNG = np.random.default_rng(3)
NOISE = RNG.integers(0, 256, (29, 53, 4), dtype=np.uint8)
RGBA = PIL.Image.fromarray(NOISE)
DEEP = PIL.Image.fromarray(RNG.integers(0, 2**16, (29, 53), dtype=np.uint16))
PALETTE = RGBA.convert("RGB").quantize(37)


def exif(orientation: int) -> PIL.Image.Exif:
    tags = PIL.Image.Exif()
    tags[0x0112] = orientation
    return tags


def rows_as_png(depth: int, colour: int, interlaced: bool, seed: int, extra: tuple = ()) -> bytes:
    """A PNG that Pillow does not write: any depth, each row filtered otherwise, interlaced or not."""
    rng = np.random.default_rng(seed)
    width, height = 21, 13
    bits = depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    passes = [
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ]
    data = b""
    for x, y, across, down in passes if interlaced else [(0, 0, 1, 1)]:
        columns, rows = len(range(x, width, across)), len(range(y, height, down))
        for row in range(rows if columns else 0):
            data += bytes([row % 5]) + rng.bytes((columns * bits + 7) // 8)
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced))
    parts = [(b"IHDR", header), *extra, (b"IDAT", zlib.compress(data)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, body) for kind, body in parts)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


PICTURES = {
    "grey": saved(RGBA.convert("L")),
    "black and white": saved(RGBA.convert("1")),
    "colour": saved(RGBA.convert("RGB")),
    "transparent": saved(RGBA),
    "grey and transparent": saved(RGBA.convert("LA")),
    "palette": saved(PALETTE),
    "palette, one clear": saved(PALETTE, transparency=3),
    "palette, some half clear": saved(PALETTE, transparency=bytes(range(0, 250, 10))),
    "colour, one clear": saved(RGBA.convert("RGB"), transparency=tuple(int(v) for v in NOISE[4, 7, :3])),
    "grey, one clear": saved(RGBA.convert("L"), transparency=128),
    "16 bits": saved(DEEP),
    **{f"turned {turn}": saved(RGBA.convert("L"), exif=exif(turn)) for turn in range(1, 9)},
    **{
        f"depth {depth}, colour {colour}, {'interlaced' if interlaced else 'in rows'}": rows_as_png(
            depth, colour, interlaced, depth + colour
        )
        for colour, depths in {0: (1, 2, 4, 8, 16), 2: (8, 16), 4: (8, 16), 6: (8, 16)}.items()
        for depth in depths
        for interlaced in (False, True)
    },
    "16 bits of grey, one clear": rows_as_png(16, 0, False, 1, ((b"tRNS", b"\x12\x34"),)),
    "a broken note beside the pixels": saved(RGBA.convert("L"))[:33]
    + struct.pack(">I", 4) + b"tEXtabcd" + b"\0\0\0\0" + saved(RGBA.convert("L"))[33:],
    "a colour profile": saved(RGBA.convert("RGB"), icc_profile=b"x" * 200),
    "grey JPEG": encode(NOISE[:, :, 0], quality=90),
    "grey JPEG of a card": encode(next(cards(1, seed=3)).image, quality=60),
    "BMP": saved(RGBA.convert("RGB"), "BMP"),
    "GIF": saved(PALETTE, "GIF"),
    "WebP without loss": saved(RGBA.convert("RGB"), "WEBP", lossless=True),
    **{
        f"WebP turned {turn}": saved(RGBA.convert("RGB"), "WEBP", lossless=True, exif=exif(turn))
        for turn in (2, 3, 6, 8)
    },
}  # fmt: skip


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_has_the_same_pixels(page, name):
    np.testing.assert_array_equal(in_browser(page, PICTURES[name]), decode(PICTURES[name]))


def test_a_jpeg_in_colour_differs_by_little(page):
    card = next(cards(1, seed=3)).image
    paper = np.stack([card, card // 2 + 90, 255 - card // 3], axis=2)
    for quality in (40, 75, 95):
        data = saved(PIL.Image.fromarray(paper), "JPEG", quality=quality)
        there, here = in_browser(page, data).astype(int), decode(data).astype(int)
        assert there.shape == here.shape and abs(there - here).max() <= 3


WHOLE = saved(RGBA.convert("L"))
BAD = {
    "empty": b"",
    "text": b"no picture at all",
    "cut off": WHOLE[: len(WHOLE) // 2],
    "a changed byte": WHOLE[:60] + bytes([WHOLE[60] ^ 1]) + WHOLE[61:],
    "only a head": WHOLE[:8],
    "tiny": saved(PIL.Image.new("L", (7, 30))),
    "upright": saved(PIL.Image.new("L", (30, 90))),
    "a ribbon": saved(PIL.Image.new("L", (900, 20))),
    "a bomb": saved(PIL.Image.new("1", (8000, 8000))),
}


@pytest.mark.parametrize("name", BAD)
def test_what_python_refuses_the_page_refuses_too(page, name):
    with pytest.raises(PictureError):
        decode(BAD[name])
    answer = page.run(DECODE.replace("PACKED", PACKED), base64.b64encode(BAD[name]).decode())
    assert answer["kind"] == "PictureError" and "picture" in answer["problem"]


def sheets():
    """Drawings: a number, a thin 1, a dash, a dot, thick and thin pens, small in a corner."""
    from PIL import ImageDraw

    strokes = {
        "17": [[(100, 40), (100, 200)], [(200, 50), (300, 50), (240, 210)]],
        "1": [[(50, 30), (54, 220)]],
        "dash": [[(200, 100), (700, 104)]],
        "dot": [[(400, 140), (404, 144)]],
        "4": [[(300, 20), (260, 140), (400, 140)], [(360, 80), (350, 250)]],
        "corner": [[(905, 5), (905, 25)], [(915, 5), (925, 5), (918, 27)]],
    }
    for name, lines in strokes.items():
        for pen in (3, 14, 40):
            picture = PIL.Image.new("L", (960, 288), 255)
            for points in lines:
                ImageDraw.Draw(picture).line(points, fill=0, width=pen, joint="curve")
            yield pytest.param(np.asarray(picture), id=f"{name}-{pen}")
    blurred = PIL.Image.fromarray(np.asarray(cards_beside())).resize((960, 200))
    yield pytest.param(np.asarray(blurred), id="grey edges")


def cards_beside() -> np.ndarray:
    return next(cards(1, "clean", seed=9)).image


@pytest.mark.parametrize("sheet", list(sheets()))
def test_a_drawing_becomes_the_same_card(page, sheet):
    there, here = call(page, "./card.js", "cardFromSketch", sheet), card_from_sketch(sheet)
    assert there.shape == here.shape
    assert abs(there.astype(int) - here.astype(int)).max() <= 1


def test_an_empty_sheet_is_refused(page):
    page_text = page.press("read")
    assert page_text["digits"] == "" and "write a number on it first" in page_text["how"]


def test_a_large_photograph_is_averaged_as_in_python(page):
    photograph = RNG.integers(0, 256, (1037, 1501), dtype=np.uint8)
    there, here = call(page, "./picture.js", "reduced", photograph), reduced(photograph)
    assert there.shape == here.shape and abs(there.astype(int) - here.astype(int)).max() <= 1
