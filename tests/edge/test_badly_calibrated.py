"""A conversion that passes every check and does not read: both halves of that sentence."""

import pytest
from google.protobuf.message import DecodeError

from fsdl_deploy import weights
from fsdl_deploy.edge import badly_calibrated


def test_it_passes_and_does_not_read():
    graph = badly_calibrated.converted()
    assert len(badly_calibrated.checked(graph)) == 3
    same, of = badly_calibrated.alike(graph, 40)
    assert of == 40 and same < 20
    assert badly_calibrated.alike(weights.verified("v2.onnx"), 40) == (40, 40)  # the comparison is right


def test_what_is_broken_does_not_pass():
    with pytest.raises(DecodeError):
        badly_calibrated.checked(b"no graph")
