import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fsdl_deploy.models import MeterReader, Student, Teacher, multiply_adds


@pytest.mark.parametrize("network", [Teacher, Student])
def test_a_card_reads_the_same_alone_and_in_a_batch(network):
    torch.manual_seed(0)
    reader = MeterReader(network()).eval()
    widths = torch.tensor([300, 211, 64, 9])
    pictures = torch.randint(0, 256, (4, 64, 300), dtype=torch.uint8)
    with torch.inference_mode():
        logits, lengths = reader.network(*reader.preprocess(pictures, widths))
        for row, width in enumerate(widths.tolist()):
            alone, length = reader.network(
                *reader.preprocess(pictures[row : row + 1, :, :width], widths[row : row + 1])
            )
            assert length == lengths[row] == alone.shape[1]
            assert torch.allclose(alone[0], logits[row, : alone.shape[1]], atol=2e-5)


def test_student_needs_ten_times_fewer_multiply_adds():
    for width in (80, 160, 320):
        assert multiply_adds(Teacher(), width) >= 10 * multiply_adds(Student(), width)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 3), st.integers(8, 70), st.integers(8, 200))
def test_any_size_of_picture_is_read(n, height, width):
    reader = MeterReader(Student()).eval()
    with torch.inference_mode():
        digits, sure, confidence = reader(
            torch.randint(0, 256, (n, height, width), dtype=torch.uint8), torch.full((n,), width)
        )
    assert digits.shape == sure.shape and digits.shape[0] == n
    assert ((confidence >= 0) & (confidence <= 1)).all() and not sure.isnan().any()
