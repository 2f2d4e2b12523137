import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fsdl_deploy.models import HEIGHT, MeterReader, Preprocess, Student, Teacher, best_path, multiply_adds


def spell(path: list[int], sure: float = 0.9) -> torch.Tensor:
    """Log-probabilities ``[1, T, 11]`` whose best path is ``path``."""
    p = torch.full((1, len(path), 11), (1 - sure) / 10)
    p[0, torch.arange(len(path)), torch.tensor(path)] = sure
    return p.log()


def collapse(path: list[int]) -> list[int]:
    """CTC's definition, written the slow way: drop repeats, then blanks."""
    return [c - 1 for i, c in enumerate(path) if c and (i == 0 or path[i - 1] != c)]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 10), min_size=1, max_size=40))
def test_best_path_is_ctc(path):
    digits, sure, _ = best_path(spell(path), torch.tensor([len(path)]))
    wanted = collapse(path)
    assert digits[0].tolist() == wanted + [-1] * (len(path) - len(wanted))
    assert torch.allclose(sure[0, : len(wanted)], torch.tensor(0.9)) and not sure[0, len(wanted) :].any()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.integers(0, 10), min_size=1, max_size=15), min_size=1, max_size=5))
def test_batch_decodes_as_each_alone(paths):
    longest = max(map(len, paths))
    batch = torch.cat([spell([*p, *[7] * (longest - len(p))]) for p in paths])  # the padding speaks, in vain
    digits, _, confidence = best_path(batch, torch.tensor([len(p) for p in paths]))
    for row, path in enumerate(paths):
        alone, _, sure = best_path(spell(path), torch.tensor([len(path)]))
        assert digits[row][digits[row] >= 0].tolist() == alone[0][alone[0] >= 0].tolist() == collapse(path)
        assert confidence[row] == pytest.approx(sure.item(), rel=1e-5)


def test_confidence_of_a_digit_is_the_best_of_its_run():
    said = torch.cat([spell([4, 4, 4], 0.5), spell([4, 0, 4], 0.8)], 1)
    digits, sure, confidence = best_path(said, torch.tensor([6]))
    assert digits[0, :3].tolist() == [3, 3, -1]
    assert sure[0, :2].tolist() == pytest.approx([0.8, 0.8])
    # Three steps give the reading 0.5 and its neighbour, the blank, 0.05; three give 0.8 and 0.02.
    assert confidence.item() == pytest.approx(0.55**3 * 0.82**3 * 0.8**2)


def test_confidence_does_not_doubt_where_a_digit_starts():
    path = [0, 4, 0, 7, 0]
    sharp, blurred = spell(path, 0.98), spell(path, 0.98)
    blurred[0, 2] = torch.full((11,), 1e-4).log()
    blurred[0, 2, [0, 4]] = torch.tensor([0.55, 0.45]).log()  # is the first digit over yet? No matter
    wrong = blurred.clone()
    wrong[0, 2, 4], wrong[0, 2, 9] = blurred[0, 2, 9], blurred[0, 2, 4]  # is there an 8 between them?
    sure, same, doubt = (best_path(said, torch.tensor([5]))[2].item() for said in (sharp, blurred, wrong))
    assert same > 0.95 * sure and doubt < 0.6 * sure


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


def test_preprocess_is_blind_to_light_and_keeps_ink_positive():
    picture = torch.full((1, 32, 80), 200, dtype=torch.uint8)
    picture[0, 8:24, 30:34] = 40
    darker = (picture.float() * 0.5 + 10).byte()
    width = torch.tensor([80])
    plain, _ = Preprocess()(picture, width)
    dark, _ = Preprocess()(darker, width)
    assert torch.allclose(plain, dark, atol=0.02)
    assert plain[0, 0, 16, 31] > 1 > 0 > plain[0, 0, 2, 2]
    assert plain.mean().abs() < 1e-4 and plain.std() == pytest.approx(1, abs=0.01)
    fixed, _ = Preprocess((0.9, 0.2))(picture, width)
    fixed_dark, _ = Preprocess((0.9, 0.2))(darker, width)
    assert not torch.allclose(fixed, fixed_dark, atol=0.5), (
        "with constants the light matters: the bug of v3-bad"
    )


@pytest.mark.parametrize(("height", "width"), [(8, 8), (32, 100), (64, 301), (200, 77), (50, 171)])
def test_preprocess_resizes_to_the_network_height(height, width):
    gradient = torch.linspace(0, 255, width).byte().expand(1, height, width)
    ink, widths = Preprocess()(gradient, torch.tensor([width]))
    assert ink.shape == (1, 1, HEIGHT, -(-width * HEIGHT // height)) and widths.item() == ink.shape[3]
    across = ink[0, 0].numpy()
    assert (np.diff(across, axis=1) <= 1e-5).all(), "a rising picture stays monotone"
    assert np.ptp(across, axis=0).max() < 1e-4


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
