"""What the tour says of drifts is so with the published model: their cost, and what confidence is worth."""

import numpy as np
import pytest

from fsdl_deploy.cards import DRIFTS, cards
from fsdl_deploy.reader import OnnxReader

COUNT = 300


@pytest.fixture(scope="module")
def measured():
    """drift -> (whether each card is read right, the confidence in each reading)."""
    reader, results = OnnxReader("v2"), {}
    for drift in (None, *DRIFTS):
        drifted = list(cards(COUNT, "typical", seed=5, drift=drift))
        readings = reader.read([card.image for card in drifted])
        right = [card.truth == reading.digits for card, reading in zip(drifted, readings, strict=True)]
        results[drift] = np.array(right), np.array([reading.confidence for reading in readings])
    return results


def test_darkness_and_a_new_pen_do_little_harm(measured):
    usual = measured[None][0].mean()
    assert measured["dark"][0].mean() > usual - 0.03
    assert usual - 0.15 < measured["new pen"][0].mean() < usual


@pytest.mark.parametrize("drift", ["inverted", "rotated", "cropped"])
def test_the_others_are_mostly_misread_and_confidence_says_so(measured, drift):
    right, confidence = measured[drift]
    assert right.mean() < 0.4 and np.median(confidence) < 0.4
    assert (confidence > 0.9).mean() < 0.13, "a person gets about nine in ten, or more"


def test_some_wrong_readings_stay_sure(measured):
    right, confidence = measured["cropped"]
    usual_right, usual_confidence = measured[None]
    sure, usual = ~right[confidence > 0.9], ~usual_right[usual_confidence > 0.9]
    assert sure.any() and sure.mean() > 5 * usual.mean()
