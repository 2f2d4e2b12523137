import numpy as np
import pytest

from fsdl_deploy.packaging.parity import compare

CASES = [(np.arange(6.0).reshape(2, 3),), (np.arange(4.0).reshape(1, 4),)]


def double(x):
    return [2 * x, x.sum(1)]


def test_the_same_function_is_zero_apart_on_every_case():
    differences = compare(double, double, CASES)
    assert [(each.shape, each.largest, each.problem) for each in differences] == [
        ((2, 3), 0, ""),
        ((1, 4), 0, ""),
    ]


def test_the_largest_difference_of_any_output_counts():
    differences = compare(double, lambda x: [2 * x, x.sum(1) - [0.5]], CASES)
    assert [each.largest for each in differences] == [0.5, 0.5]


@pytest.mark.parametrize(
    "candidate, problem",
    [
        (lambda x: [2 * x], "1 outputs, not 2"),
        (lambda x: [2 * x, x.sum(1, keepdims=True)], "output 1 is [2, 1], not [2]"),
        (lambda x: [2 * x[:, :1], x.sum(1)], "output 0 is [2, 1], not [2, 3]"),
        (lambda x: [x * np.nan, x.sum(1)], "output 0 is not a number"),
        (lambda x: [2 * x, x.sum(1).reshape(3)], "ValueError: cannot reshape"),
    ],
)
def test_what_cannot_be_compared_is_infinitely_far(candidate, problem):
    difference = compare(double, candidate, CASES[:1])[0]
    assert difference.largest == np.inf and problem in difference.problem


def test_equal_infinities_and_empty_outputs_are_no_difference():
    odd = np.array([[np.inf, -np.inf, np.nan]])
    assert compare(lambda x: [odd, x[:0]], lambda x: [odd.copy(), x[:0]], CASES[:1])[0].largest == 0
    assert compare(lambda x: [odd], lambda x: [-odd], CASES[:1])[0].largest == np.inf


def test_an_error_of_the_reference_is_raised():
    with pytest.raises(ZeroDivisionError):
        compare(lambda x: 1 / 0, double, CASES)
