"""int8 tensors: what a value becomes, and back."""

import numpy as np
import pytest

from fsdl_deploy.targets import integers
from fsdl_deploy.targets.integers import Encoding


def details(**changes):
    parameters = {"scales": [0.5], "zero_points": [-10]}
    return {"shape": np.array([1, 2]), "dtype": np.int8, "quantization_parameters": parameters} | changes


def test_a_value_becomes_the_nearest_integer_and_stays_in_range():
    encoding = Encoding.of(details())
    integers = encoding.encoded(np.array([0.74, 1000.0]))
    assert integers.dtype == np.int8 and integers.tolist() == [[-9, 127]]
    assert encoding.encoded(np.array([-1000.0, 0.0])).tolist() == [[-128, -10]]
    assert encoding.decoded(integers)[0, 0] == pytest.approx(0.5)


def test_floats_stay_as_they_are():
    encoding = Encoding.of(
        details(dtype=np.float32, quantization_parameters={"scales": [], "zero_points": []})
    )
    values = np.array([[0.3, -1000.0]], np.float32)
    assert np.array_equal(encoding.encoded(values), values)
    assert np.array_equal(encoding.decoded(values), values)


def test_several_scales_are_refused():
    with pytest.raises(ValueError):
        Encoding.of(details(quantization_parameters={"scales": [0.1, 0.2], "zero_points": [0, 0]}))


def test_log_softmax_survives_large_logits():
    probabilities = np.exp(integers.log_softmax(np.array([[1000.0, 1000.0, -1000.0]], np.float32)))
    assert probabilities.tolist() == [[0.5, 0.5, 0.0]]
