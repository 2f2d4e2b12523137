"""Numbers from JSON: what is none, what does not fit, and that a wrong one costs no memory."""

import tracemalloc

import numpy as np
import pytest

from fsdl_deploy.service.parsing import Refusal
from fsdl_deploy.service.tensors import tensor


def pixels(data, shape, kind="UINT8"):
    request_input = {"datatype": kind, "shape": shape, "data": data}
    return tensor(request_input, "pixels", kind, len(shape), memoryview(b""))[0]


@pytest.mark.parametrize("data", [[1, 2, 3, 255], [[1, 2], [3, 255]], [[[1, 2, 3, 255]]]])
def test_flat_and_nested_numbers_are_the_same(data):
    values = pixels(data, [2, 2])
    assert values.dtype == np.uint8 and values.tolist() == [[1, 2], [3, 255]]


@pytest.mark.parametrize("kind", ["UINT8", "INT64"])
@pytest.mark.parametrize("wrong", [True, 7.0, None, "7", {}, 2**64, -(2**64)])
def test_one_that_is_no_whole_number_is_refused(kind, wrong):
    for data in ([7, wrong], [[7], [wrong]]):
        with pytest.raises(Refusal, match="whole numbers from"):
            pixels(data, [2], kind)


@pytest.mark.parametrize("data", [[[1], [2, 3]], [1, [2]], [[[1]], [2]], [[], [1]]])
def test_lists_of_different_lengths_are_refused(data):
    with pytest.raises(Refusal, match="different lengths"):
        pixels(data, [3])


@pytest.mark.parametrize("nested", [False, True])
def test_a_long_string_among_short_ones_takes_no_memory(nested):
    data = ["x" * 2_500_000] + ["y"] * 100
    tracemalloc.start()
    try:
        with pytest.raises(Refusal, match="whole numbers from 0 to 255"):
            pixels([data] if nested else data, [101])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2**20  # as one array of strings they would take 1 GB
