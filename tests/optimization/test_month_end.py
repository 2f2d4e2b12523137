"""The mix: how often a card comes, and to whom."""

from itertools import islice

import numpy as np
import pytest

from fsdl_deploy.optimization import caching, month_end
from fsdl_deploy.optimization.month_end import NIGHT, UPLOADS

MEAN = sum(times * share for times, share in UPLOADS.items())


def hit_rate(worker, workers, sticky, uploads):
    seen = list(islice(month_end.arriving(worker, workers, sticky), uploads))
    return 1 - len(set(seen)) / len(seen)


def test_the_mix_is_what_it_says():
    uploads = month_end.month_end(5000)
    times = np.bincount(uploads)
    assert len(times) == 5000 and set(times) == set(UPLOADS)
    for count, share in UPLOADS.items():
        assert np.mean(times == count) == pytest.approx(share, abs=0.03)
    assert (uploads == month_end.month_end(5000)).all()
    assert not (np.sort(uploads) == uploads).all()


@pytest.mark.parametrize("seed", range(3))
def test_a_night_has_the_repeats_of_the_mix(seed):
    assert 1 - NIGHT / len(month_end.month_end(NIGHT, seed)) == pytest.approx(1 - 1 / MEAN, abs=0.015)


def test_workers_share_the_uploads_of_a_night():
    uploads = len(month_end.month_end(NIGHT))
    for sticky in (False, True):
        sent = [list(islice(month_end.arriving(n, 3, sticky), uploads)) for n in range(3)]
        tonight = np.concatenate([[card for card in share if card < NIGHT] for share in sent])
        assert (np.sort(tonight) == np.sort(month_end.month_end(NIGHT))).all()


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_a_worker_has_the_hit_rate_of_its_share(workers):
    # Of a card that is sent k times, each of the workers that sees it at all must read it once.
    reads = sum(workers * (1 - (1 - 1 / workers) ** k) * share for k, share in UPLOADS.items())
    assert hit_rate(0, workers, False, 50_000) == pytest.approx(1 - reads / MEAN, abs=0.015)
    assert hit_rate(0, workers, True, 50_000) == pytest.approx(1 - 1 / MEAN, abs=0.015)


def test_a_marked_picture_looks_the_same_and_is_another():
    image = np.random.default_rng(0).integers(0, 256, (32, 40), np.uint8)
    before, copies = image.copy(), [month_end.marked(image, number) for number in (0, 1, 2, 256, 10**6)]
    assert (image == before).all()
    assert all(np.abs(copy.astype(int) - image).max() <= 1 and copy.shape == image.shape for copy in copies)
    assert len({caching.key(copy, "v") for copy in copies}) == len(copies)
    assert caching.key(copies[1], "v") == caching.key(month_end.marked(image, 1), "v")
