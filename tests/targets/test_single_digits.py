"""Squares with one digit."""

import numpy as np

from fsdl_deploy.targets.single_digits import SIDE, single_digits, square


def test_a_narrow_picture_gets_its_own_paper_and_a_wide_one_keeps_its_middle():
    narrow = np.arange(64 * 10, dtype=np.uint8).reshape(64, 10)
    wider = square(narrow)
    assert wider.shape == (64, 64) and np.array_equal(wider[:, 27:37], narrow)
    assert np.array_equal(wider[:, 0], narrow[:, 0]) and np.array_equal(wider[:, -1], narrow[:, -1])
    wide = np.tile(np.arange(100, dtype=np.uint8), (64, 1))
    assert square(wide)[0].tolist() == list(range(18, 82))


def test_each_square_has_one_digit_that_the_reader_reads():
    from fsdl_deploy import OnnxReader

    pictures, truths = single_digits(30, seed=9)
    assert pictures.shape == (30, SIDE, SIDE) and {len(truth) for truth in truths} == {1}
    readings = OnnxReader("v2").read(list(pictures))
    assert sum(reading.digits == truth for reading, truth in zip(readings, truths, strict=True)) >= 27
