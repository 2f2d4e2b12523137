"""What is measured of a card: of its picture, its answer, its meter and its moment."""

import numpy as np
import pytest

from fsdl_deploy.cards import cards
from fsdl_deploy.monitoring.card_statistics import joined, measure, of_picture, plausible
from fsdl_deploy.picture import PictureError
from fsdl_deploy.reading import Reading

CARD = next(iter(cards(1, "typical", seed=3)))


def reading(digits, confidence=0.9):
    return Reading(digits, confidence, (), "v2")


def test_statistics_say_what_a_change_of_the_picture_does():
    grey, contrast, aspect, sharpness = of_picture(CARD.image)
    inverted = of_picture(255 - CARD.image)
    assert inverted[0] == pytest.approx(1 - grey, abs=1e-5)
    assert inverted[1:] == pytest.approx((contrast, aspect, sharpness), abs=1e-4)
    assert of_picture(CARD.image[20:])[2] > aspect
    assert of_picture((CARD.image * 0.2).astype(np.uint8))[1] < contrast / 3
    smooth = (CARD.image[:, 1:] / 2 + CARD.image[:, :-1] / 2).astype(np.uint8)
    assert of_picture(smooth)[3] < sharpness
    assert np.isfinite(of_picture(np.zeros((8, 8), np.uint8))).all()


@pytest.mark.parametrize(
    ("digits", "previous", "expected"),
    [
        ("01234", 1200, True),
        ("01234", 1234, True),  # nobody was at home
        ("01234", 1235, False),
        ("91234", 1200, False),  # a first digit misread
        ("", 1200, False),
        ("12", 1200, False),
    ],
)
def test_meters_only_rise_and_not_by_much(digits, previous, expected):
    assert plausible(digits, previous) is expected


def test_a_refused_picture_has_no_answer_to_measure():
    answers = [reading("01234"), PictureError("no picture"), None, reading("01234", 0.3)]
    statistics = measure([CARD.image] * 4, answers, previous=[1200, 1200, 1200, 2000], gap=[1, 2, 3, 4])
    assert statistics["refused"].tolist() == [0, 1, 1, 0]
    for name, first, last in (("digits", 5, 5), ("handed on", 0, 1), ("implausible", 0, 1)):
        values = statistics[name]
        assert (values[0], values[3]) == (first, last)
        assert np.isnan(values[1:3]).all()
    assert "latency" not in statistics


def test_lists_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="2 pictures, but 1 latency"):
        measure([CARD.image] * 2, [reading("1")] * 2, latency=[0.1])


def test_stretches_are_joined_by_what_all_of_them_have():
    parts = {"grey": np.zeros(2), "gap": np.zeros(2)}, {"grey": np.ones(1)}
    assert {name: values.tolist() for name, values in joined(*parts).items()} == {"grey": [0, 0, 1]}
