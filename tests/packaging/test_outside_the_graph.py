import numpy as np
import pytest
from PIL.Image import Resampling

from fsdl_course.packaging.outside_the_graph import (
    by_the_graph,
    read_ink,
    resized,
    scaled,
    stacked,
    standardised,
)
from fsdl_deploy import OnnxReader, weights
from fsdl_deploy.cards import cards
from fsdl_deploy.packaging.model_calls import in_torch
from fsdl_deploy.preprocess import MARGIN

PICTURE = np.arange(64 * 101, dtype=np.uint8).reshape(64, 101)


def test_resizing_keeps_the_proportions_rounded_up_unless_a_width_is_given():
    assert resized(PICTURE, Resampling.BILINEAR).shape == (32, 51)
    assert resized(PICTURE, Resampling.BILINEAR, width=160).shape == (32, 160)


def test_ink_is_dark_as_positive_of_mean_0_and_deviation_1():
    card = np.full((32, 40), 250, np.uint8)
    card[10:14, 10:14] = 10
    ink = standardised(card)
    assert ink[11, 11] > 0 > ink[0, 0] and abs(ink.mean()) < 1e-5 and ink.std() == pytest.approx(1, abs=1e-4)
    assert np.abs(standardised(np.full((32, 40), 250, np.uint8))).max() < 1e-3, "no division by zero"


def test_constants_are_those_that_are_given():
    assert scaled(np.full((1, 1), 255, np.uint8), 1, 1).item() == 0
    assert scaled(np.zeros((1, 1), np.uint8), 0.5, 0.25).item() == 2


def test_cards_stand_left_with_an_empty_margin_behind_the_widest():
    batch, widths = stacked([np.ones((32, 10)), np.ones((32, 30))])
    assert batch.shape == (2, 1, 32, 30 + MARGIN) and widths.tolist() == [10, 30]
    assert batch[0, 0, :, :10].all() and not batch[0, 0, :, 10:].any() and not batch[1, 0, :, 30:].any()


def test_the_graphs_own_ink_gives_the_readings_of_the_whole_reader():
    images = [card.image for card in cards(12, "typical", seed=5)]
    reader, whole = weights.load("v2"), OnnxReader("v2").read(images)
    digits = read_ink(in_torch(reader.network), *by_the_graph(reader.preprocess, images))
    assert digits == [reading.digits for reading in whole]
