import numpy as np
import pytest

from fsdl_course.packaging import packaging_figures
from fsdl_course.packaging.runs import Effect
from fsdl_deploy import figures
from fsdl_deploy.picture import encode


def test_a_bar_for_each_change_in_the_colour_of_its_kind(shown_figures):
    changes = {
        "nothing": Effect(0.97, 0, 0.0),
        "code: a": Effect(0.9, 7, 0.0),
        "code: b": Effect(0.8, 9, 0.0),
    }
    packaging_figures.change_bars(changes | {"weights: v1": Effect(0.5, 60, -0.7)})
    (axes,) = shown_figures[0].axes
    assert [bar.get_width() for bar in axes.patches] == pytest.approx([97, 90, 80, 50])
    colors = [bar.get_facecolor() for bar in axes.patches]
    assert colors[1] == colors[2] and len(set(colors)) == 3
    assert [text.get_text() for text in axes.texts] == ["0 changed", "7 changed", "9 changed", "60 changed"]


def test_bars_of_preprocessing_are_shares_of_the_cards(shown_figures):
    packaging_figures.preprocessing_bars({"own": 0, "wrong": 150}, {"own": 0.98, "wrong": 0.5}, cards=300)
    (axes,) = shown_figures[0].axes
    assert [bar.get_width() for bar in axes.patches] == [0, 50]
    assert [text.get_text() for text in axes.texts] == ["0 changed, 98.0% right", "150 changed, 50.0% right"]


def test_a_picture_that_was_given_stands_above_its_own_reading(tmp_path, monkeypatch):
    for place in range(4):
        picture = np.full((8, 8), 10 * place, np.uint8)
        (tmp_path / f"{place:04}.png").write_bytes(encode(picture))
    kept = []
    monkeypatch.setattr(figures, "cards", lambda images, captions, alt: kept.append((images, captions)))
    packaging_figures.given_cards("core", tmp_path, {"digits": ["0", "1", "", "3"]}, [3, 2])
    images, captions = kept[0]
    assert [image.max() for image in images] == [30, 20] and captions == ["core: 3", "core: nothing"]
