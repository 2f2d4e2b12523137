import numpy as np
import pytest

from fsdl_deploy.digits import Digits, digits


def test_split_is_by_digit_and_balanced():
    train, test = digits("train"), digits("test")
    assert np.bincount(train.labels).tolist() == [400] * 10
    assert np.bincount(test.labels).tolist() == [100] * 10
    seen = {image.tobytes() for image in train.images}
    assert not seen & {image.tobytes() for image in test.images}


def test_images_belong_to_their_labels():
    # The mean 1 is narrow, the mean 0 has a hole: shuffled labels would blur both.
    train = digits("train")
    mean_one, mean_zero = (train.images[train.labels == d].mean(0) for d in (1, 0))
    assert mean_one[:, :8].max() < 40 < mean_one[14, 14]
    assert mean_zero[14, 14] < 40 < mean_zero[6:22].max()


def test_draw_one_gives_the_digit_asked_for():
    test = digits("test")
    rng = np.random.default_rng(0)
    known = {image.tobytes(): label for image, label in zip(test.images, test.labels, strict=True)}
    for digit in range(10):
        assert all(known[test.draw_one(digit, rng).tobytes()] == digit for _ in range(5))


@pytest.mark.parametrize("split", ["validation", "", None])
def test_unknown_split_is_refused(split):
    with pytest.raises(ValueError, match="'train' or 'test'"):
        digits(split)


def test_digits_without_every_class_are_refused():
    with pytest.raises(ValueError, match=r"\[3, 7\]"):
        Digits(np.zeros((8, 28, 28), np.uint8), np.array([0, 1, 2, 4, 5, 6, 8, 9]))
    with pytest.raises(ValueError, match=r"\[n, 28, 28\]"):
        Digits(np.zeros((8, 32, 32), np.uint8), np.zeros(8, np.uint8))
