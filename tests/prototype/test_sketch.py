"""What is drawn on a sketchpad becomes a picture that looks like a card."""

import numpy as np
import PIL.Image
import PIL.ImageDraw
import pytest

from fsdl_deploy.picture import PictureError, check
from fsdl_deploy.prototype.sketch import CARD_HEIGHT, INK_HEIGHT, card_from_sketch

SEVEN_FOUR = [[(0, 0), (40, 0), (15, 60)], [(90, 0), (70, 40), (115, 40)], [(100, 15), (100, 60)]]


def drawn(strokes, scale=1.0, at=(30, 30), pen=8, canvas=(500, 200), ink=(17, 17, 17, 255)):
    """RGBA ``[H, W, 4]`` on a transparent canvas, as the sketchpad gives it: colour 0 under alpha 0."""
    picture = PIL.Image.new("RGBA", canvas, (0, 0, 0, 0))
    draw = PIL.ImageDraw.Draw(picture)
    for stroke in strokes:
        points = [(at[0] + scale * x, at[1] + scale * y) for x, y in stroke]
        draw.line(points, fill=ink, width=pen, joint="curve")
        for x, y in points:
            draw.ellipse([x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2], fill=ink)
    return np.asarray(picture)


def ink_box(card):
    rows, columns = np.flatnonzero((card < 128).any(1)), np.flatnonzero((card < 128).any(0))
    return rows[0], rows[-1], columns[0], columns[-1]


def pen_width(card):
    """Mean width of the ink over the rows: the strokes here are cut once or twice by each row."""
    rows = [
        np.diff(np.flatnonzero(np.diff(np.r_[0, row < 128, 0].astype(int)))[:2])[0]
        for row in card
        if (row < 128).any()
    ]
    return float(np.median(rows))


def test_card_is_what_the_reader_takes():
    card = check(card_from_sketch({"background": None, "layers": [], "composite": drawn(SEVEN_FOUR)}))
    assert card.shape[0] == CARD_HEIGHT and card.shape[1] > CARD_HEIGHT
    assert card.max() == 255 and card.min() < 30
    top, bottom, left, right = ink_box(card)
    assert abs((bottom - top + 1) - INK_HEIGHT) <= 3
    assert abs(top - (CARD_HEIGHT - 1 - bottom)) <= 2  # centred
    assert left >= 8 and card.shape[1] - right >= 8  # paper at both ends


@pytest.mark.parametrize(
    "scale, at, pen", [(0.4, (5, 5), 6), (1.0, (300, 120), 8), (2.6, (60, 15), 10), (2.6, (60, 15), 26)]
)
def test_size_place_and_pen_of_the_drawing_hardly_matter(scale, at, pen):
    usual = card_from_sketch(drawn(SEVEN_FOUR))
    other = card_from_sketch(drawn(SEVEN_FOUR, scale, at, pen))
    # A thick pen on a small drawing adds to both sides of its box, so the outline is not the very same.
    assert abs(other.shape[1] - usual.shape[1]) <= 0.12 * usual.shape[1]
    assert abs(pen_width(other) - pen_width(usual)) <= 2
    aligned = np.asarray(PIL.Image.fromarray(other).resize(usual.shape[::-1]))
    both = ((usual < 128) & (aligned < 160)).sum() / (usual < 128).sum()
    assert both > 0.6


def test_colour_and_layout_of_the_pixels_do_not_matter():
    black = card_from_sketch(drawn(SEVEN_FOUR))
    blue = card_from_sketch(drawn(SEVEN_FOUR, ink=(0, 60, 160, 255)))
    white = PIL.Image.new("RGBA", (500, 200), "white")
    white.alpha_composite(PIL.Image.fromarray(drawn(SEVEN_FOUR)))
    for other in (
        blue,
        card_from_sketch(np.asarray(white.convert("RGB"))),
        card_from_sketch(np.asarray(white.convert("L"))),
    ):
        assert other.shape == black.shape and np.abs(other.astype(int) - black).mean() < 8


@pytest.mark.parametrize("sketch", [
    None,
    {"background": None, "layers": [], "composite": None},
    {"background": None, "layers": [], "composite": np.zeros((200, 500, 4), np.uint8)},
    np.full((200, 500, 4), 255, np.uint8),
    drawn([[(10, 10), (10, 10)]], pen=2),
])  # fmt: skip
def test_empty_sketchpad_is_refused_with_advice(sketch):
    with pytest.raises(PictureError, match="sketchpad is empty"):
        card_from_sketch(sketch)


@pytest.mark.parametrize(
    "stroke", [[(0, 0), (400, 0)], [(0, 0), (0, 150)], [(0, 0), (6, 0)]], ids=["dash", "bar", "dot"]
)
def test_odd_drawings_stay_within_the_readers_limits(stroke):
    card = check(card_from_sketch(drawn([stroke])))
    assert card.shape[0] == CARD_HEIGHT and card.shape[1] <= 20 * CARD_HEIGHT


def test_everything_covered_with_ink_is_a_picture_too():
    check(card_from_sketch(np.tile(np.array([0, 0, 0, 255], np.uint8), (200, 500, 1))))


@pytest.mark.parametrize("pen", [1, 3, 8])
def test_a_1_of_any_pen_is_no_card_on_its_side(pen):
    card = check(card_from_sketch(drawn([[(0, 0), (0, 120)]], pen=pen)))
    assert card.shape[0] == CARD_HEIGHT and (card < 128).any()
