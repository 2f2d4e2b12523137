import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fsdl_deploy.ctc import best_path


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
    expected = collapse(path)
    assert digits[0].tolist() == expected + [-1] * (len(path) - len(expected))
    assert torch.allclose(sure[0, : len(expected)], torch.tensor(0.9)) and not sure[0, len(expected) :].any()


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
    written = torch.cat([spell([4, 4, 4], 0.5), spell([4, 0, 4], 0.8)], 1)
    digits, sure, confidence = best_path(written, torch.tensor([6]))
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
    sure, same, doubt = (best_path(path, torch.tensor([5]))[2].item() for path in (sharp, blurred, wrong))
    assert same > 0.95 * sure and doubt < 0.6 * sure
