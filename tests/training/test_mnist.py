"""MNIST for training: what is kept out of it, and what happens where it is not there."""

import numpy as np
import pytest

from fsdl_deploy.digits import digits
from fsdl_deploy.running import stations
from fsdl_deploy.training import mnist
from fsdl_deploy.training.training_cards import Pool


def idx(array: np.ndarray) -> bytes:
    return np.array([0x800 + array.ndim, *array.shape], ">u4").tobytes() + array.tobytes()


@pytest.fixture
def small(monkeypatch, tmp_path):
    """A folder as the package has it, whose training part are the course's own 5,000 digits."""
    images = np.concatenate([digits(split).images for split in ("test", "train")])
    labels = np.concatenate([digits(split).labels for split in ("test", "train")])
    monkeypatch.setattr(mnist, "folder", lambda: tmp_path)
    monkeypatch.setitem(mnist.FILES, "train", ("train", 5000))
    for cached in (mnist.part, mnist.training):
        cached.cache_clear()
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx(images))
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(labels))
    yield tmp_path
    for cached in (mnist.part, mnist.training):
        cached.cache_clear()


def test_no_test_digit_of_the_course_is_trained_on(small):
    assert len(mnist.part("train").labels) == 5000
    kept = mnist.training()
    assert len(kept.labels) == 4000
    unseen = {image.tobytes() for image in digits("test").images}
    assert not unseen & {image.tobytes() for image in kept.images}
    assert sorted(kept.labels.tolist()) == sorted(digits("train").labels.tolist())


def test_a_damaged_file_is_refused(small):
    (small / "train-labels-idx1-ubyte").write_bytes(b"<html>")
    with pytest.raises(ValueError, match="build the station mnist again"):
        mnist.part("train")


def test_without_the_package_training_says_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setattr(stations.Station, "built", property(lambda self: False))
    for cached in (mnist.part, mnist.training):
        cached.cache_clear()
    with pytest.raises(stations.StationError, match="make station NAME=mnist"):
        Pool.drawn(100, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.station
def test_the_package_holds_mnist():
    everything, kept, other = mnist.part("train"), mnist.training(), mnist.test()
    counts = [len(digits.labels) for digits in (everything, kept, other)]
    assert counts == [60_000, 59_000, 10_000]
    known = {image.tobytes() for image in everything.images}
    for split in ("train", "test"):
        assert all(image.tobytes() in known for image in digits(split).images)
