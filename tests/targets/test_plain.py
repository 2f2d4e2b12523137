"""What stands around the network, in NumPy: the same as in torch."""

import numpy as np
import pytest
import torch

from fsdl_deploy import ctc, preprocess
from fsdl_deploy.cards import cards
from fsdl_deploy.targets import plain


def pictures():
    rng = np.random.default_rng(0)
    sizes = [(64, 200), (64, 201), (50, 171), (32, 100), (17, 33), (200, 811), (8, 8), (64, 1)]
    random = [rng.integers(0, 256, size, dtype=np.uint8) for size in sizes]
    blank = [np.full((64, 90), 255, np.uint8), np.zeros((64, 90), np.uint8)]
    return [card.image for card in cards(20, "hard", seed=4)] + random + blank


def test_the_numbers_are_those_of_the_torch_modules():
    names = "HEIGHT", "STEP", "MARGIN"
    assert [getattr(plain, name) for name in names] == [getattr(preprocess, name) for name in names]
    assert plain.BLANK == ctc.BLANK


def test_ink_is_that_of_preprocess():
    module = preprocess.Preprocess()
    for image in pictures():
        expected, widths = module(torch.from_numpy(image)[None], torch.tensor([image.shape[1]]))
        ink, length = plain.ink(image)
        assert ink.dtype == np.float32 and ink.shape == tuple(expected.shape)
        np.testing.assert_allclose(ink, expected.numpy(), atol=2e-4)
        assert (plain.columns(image), length) == (int(widths), -(-int(widths) // 4))


def test_decoding_is_that_of_best_path():
    generator = torch.Generator().manual_seed(1)
    for trial in range(300):
        length = trial % 40 + 1
        scores = torch.randn(1, 44, ctc.CLASSES, generator=generator) * 4
        scores[..., 0] += trial % 7  # from no blanks to hardly a digit
        table = scores.log_softmax(2)
        digits, _, confidence = ctc.best_path(table, torch.tensor([length]))
        expected = "".join(map(str, digits[0][digits[0] >= 0].tolist()))
        reading, own = plain.decode(table[0].numpy(), length)
        assert reading == expected
        assert own == pytest.approx(float(confidence), rel=1e-4, abs=1e-12)


def test_the_narrowest_bucket_with_room():
    assert [plain.bucket(width, (96, 160)) for width in (1, 96, 97, 160)] == [96, 96, 160, 160]
    with pytest.raises(ValueError, match="161 columns fits none of the buckets 96, 160"):
        plain.bucket(161, (96, 160))
