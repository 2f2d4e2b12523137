"""Figures of accuracy: what their alternative text says is what was counted."""

import numpy as np
import pytest

from fsdl_deploy.measuring.accuracy import sure_and_wrong
from fsdl_deploy.measuring.accuracy_figures import left_to_errors, most_frequent
from fsdl_deploy.reading import Reading


@pytest.mark.parametrize(
    ("place", "words"), [((3, 5), "3 read as 5"), ((7, 10), "7 missed"), ((10, 1), "1 that is not there")]
)
def test_the_most_frequent_error_is_named(place, words):
    counts = np.zeros((11, 11), int)
    assert most_frequent(counts) == "No digit was misread, missed or invented."
    counts[place], counts[0, 6] = 4, 1
    assert words in most_frequent(counts) and "of 5 errors" in most_frequent(counts)


def test_errors_left_are_those_that_no_person_reads():
    left = left_to_errors([0.9, 0.2, 0.5, 0.7], [True, False, True, False])
    assert left.tolist() == [0.5, 0.25, 0.25, 0]


def test_what_passes_as_sure_and_is_wrong_is_counted():
    answers = [
        Reading(digits, confidence, (), "v2") for digits, confidence in (("1", 0.95), ("2", 0.99), ("3", 0.4))
    ]
    assert sure_and_wrong(["1", "7", "3"], answers, sure=0.9) == (2, 2, 1, 0.95)
