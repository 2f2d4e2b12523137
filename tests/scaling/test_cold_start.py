"""A cold start taken apart: its parts add up, a second reading needs less, errors say why."""

import pytest

from fsdl_deploy.scaling.cold_start import STEPS, take_apart


def test_the_parts_of_a_start():
    start = take_apart("onnx")
    parts = [getattr(start, step) for step in STEPS]
    assert all(part > 0 for part in parts)
    assert start.total == pytest.approx(sum(parts[:-1]))
    assert start.second < start.total, "a warm instance is quicker"


def test_what_cannot_start_says_why():
    with pytest.raises(ValueError, match="onnx, torch"):
        take_apart("tensorflow")
    with pytest.raises(RuntimeError, match=r"no model file v99\.onnx"):
        take_apart("onnx", version="v99")
