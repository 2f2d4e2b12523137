import pytest
import torch

from fsdl_deploy import weights
from fsdl_deploy.optimization import qat


def test_bits_out_of_range():
    with pytest.raises(ValueError, match="2 to 8 bits"):
        qat.prepared(None, 1)


def test_plain_gives_the_weights_back():
    student = weights.load("v2").network
    again = qat.plain(qat.prepared(student, 7)).state_dict()
    for name, value in student.state_dict().items():
        assert torch.equal(again[name], value), name
