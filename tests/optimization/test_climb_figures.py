"""Figures that a climb says to the lecture."""

import dataclasses

import numpy as np
import pytest

from fsdl_deploy import weights
from fsdl_deploy.measuring import records
from fsdl_deploy.optimization import climb_figures
from fsdl_deploy.optimization.ladder import RungResult


@pytest.fixture
def long_run():
    return [RungResult(**row) for row in records.read(weights.folder() / "ladder.json")["rungs"]]


def test_factors_of_rungs_multiply_to_that_of_the_climb(long_run):
    figures = climb_figures.climb_figures(long_run)
    product = figures["student_factor"] * figures["batch_factor"]
    assert figures["runtime_factor"] == pytest.approx(product)
    assert figures["model_factor"] > figures["runtime_factor"]


def test_a_faster_first_rung_makes_the_factor_of_the_threads_smaller(long_run):
    before = climb_figures.climb_figures(long_run)["threads_factor"]
    long_run[0] = dataclasses.replace(long_run[0], per_second=2 * long_run[0].per_second)
    assert climb_figures.climb_figures(long_run)["threads_factor"] == pytest.approx(before / 2)


def test_a_short_climb_lacks_rungs(long_run):
    with pytest.raises(KeyError):
        climb_figures.climb_figures(long_run[:3])


def test_a_taught_student_is_compared_with_its_own_size():
    sizes = [(9, True, 40), (5, False, 50), (9, False, 60), (5, True, 55)]
    students = [
        {"multiply_adds": work, "taught": taught, "right": right, "cards": 100}
        for work, taught, right in sizes
    ]
    assert climb_figures.teaching_points(students) == [5, -20]


def test_every_size_reads_every_picture():
    class Counting:
        rows = 0

        def run(self, pictures, widths):
            self.rows += len(widths)

    reader, images = Counting(), [np.zeros((32, 100 + k), np.uint8) for k in range(10)]
    sizes = climb_figures.batch_sizes(reader, images, (1, 4), rounds=3)
    assert reader.rows == 2 * 3 * len(images) and sizes.keys() == {1, 4}
    assert all(rate > 0 and longest > 0 for rate, longest in sizes.values())
