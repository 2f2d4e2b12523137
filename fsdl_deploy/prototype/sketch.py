"""A drawing on a screen, as a picture of a card: what the prototype's sketchpad gives to a reader.

A sketchpad gives RGBA pixels on a transparent canvas, the number anywhere and of any size, drawn with
a pen of any width. Knows nothing about Gradio and nothing about digits.
"""

import numpy as np
import PIL.Image
from scipy.ndimage import distance_transform_edt, maximum_filter

from fsdl_deploy.picture import Image, PictureError

CARD_HEIGHT, INK_HEIGHT = 64, 34  # pixels: a written card, and the digits on it
PEN_SHARE = 0.11  # a pen's width as a share of the digits' height, as on handwritten cards


def card_from_sketch(sketch: dict | np.ndarray | None) -> Image:
    """What was drawn on the sketchpad, as a picture of a card: uint8 ``[64, W]``.

    ``sketch``: Gradio's editor value (a dict with RGBA ``[H, W, 4]`` under "composite") or the array.
    The ink is cropped, scaled to the height of digits on a card, and redrawn with a pen of the usual
    width: a small drawing in a corner reads as well as one that fills the canvas.
    Raises PictureError when nothing was drawn.
    """
    pixels = sketch.get("composite") if isinstance(sketch, dict) else sketch
    drawn = np.zeros((1, 1), bool) if pixels is None else _darkness(pixels) > 0.35
    if drawn.sum() < 12:
        raise PictureError("the sketchpad is empty: write a number on it first")
    rows, columns = np.flatnonzero(drawn.any(1)), np.flatnonzero(drawn.any(0))
    drawn = drawn[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    # A lone dash is wide and flat: without the second term it would be blown up to a wall.
    height = max(drawn.shape[0], drawn.shape[1] / 12)
    margin = int(np.ceil(height * (CARD_HEIGHT - INK_HEIGHT) / 2 / INK_HEIGHT))
    drawn = np.pad(drawn, ((margin + int(height - drawn.shape[0]) // 2,) * 2, (margin, margin)))
    # A 1 of a thin pen needs more paper beside it: a reader refuses what stands upright.
    drawn = np.pad(drawn, ((0, 0), (max(0, -(-(len(drawn) // 2 - drawn.shape[1] + 1) // 2)),) * 2))
    inside, outside = distance_transform_edt(drawn), distance_transform_edt(~drawn)
    ridge = inside[drawn & (inside == maximum_filter(inside, 3))]
    pen = 2 * ridge.mean() - 1
    # Moving the edge of the ink by `grow` pixels changes the pen and keeps the shape of the stroke.
    grow = (PEN_SHARE * height - pen) / 2
    ink = np.clip(0.5 + inside - outside + grow, 0, 1)
    card = PIL.Image.fromarray((255 - 255 * ink).astype(np.uint8))
    width = round(card.width * CARD_HEIGHT / card.height)
    return np.asarray(card.resize((width, CARD_HEIGHT), PIL.Image.Resampling.LANCZOS))


def _darkness(pixels: np.ndarray) -> np.ndarray:
    """0 paper to 1 ink, float ``[H, W]``, of RGBA, RGB or grey pixels; transparent counts as paper."""
    mode = {2: "L"}.get(pixels.ndim) or {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[pixels.shape[2]]
    picture = PIL.Image.fromarray(np.squeeze(pixels).astype(np.uint8), mode).convert("RGBA")
    paper = PIL.Image.new("RGBA", picture.size, "white")
    return 1 - np.asarray(PIL.Image.alpha_composite(paper, picture).convert("L")) / 255
