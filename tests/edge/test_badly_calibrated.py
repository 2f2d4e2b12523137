"""A conversion that passes every check and does not read: both halves of that sentence."""

import onnxruntime
import pytest
from google.protobuf.message import DecodeError

from fsdl_deploy.cards import cards
from fsdl_deploy.edge import badly_calibrated
from fsdl_deploy.reader import OnnxReader, read_batches


def test_it_passes_and_does_not_read():
    graph = badly_calibrated.converted()
    assert len(badly_calibrated.checked(graph)) == 3
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    images = [card.image for card in cards(40, "typical", seed=7)]
    readings = read_batches(
        images, lambda pictures, widths: session.run(None, {"pictures": pictures, "widths": widths}), ""
    )
    same = [a.digits == b.digits for a, b in zip(readings, OnnxReader().read(images), strict=True)]
    assert sum(same) < 20


def test_what_is_broken_does_not_pass():
    with pytest.raises(DecodeError):
        badly_calibrated.checked(b"no graph")
