"""The utility's traffic: each customer keeps a camera, the mix is as stated, and meters are known by name."""

from collections import Counter

import pytest

from fsdl_deploy.rollouts.utility import CAMERAS, Utility


def test_the_mix_of_cameras_is_as_stated_and_stays():
    utility = Utility(3000)
    counts = Counter(utility.camera(i) for i in range(3000))
    for camera, (_, share) in CAMERAS.items():
        assert counts[camera] / 3000 == pytest.approx(share, abs=0.03)
    assert [utility.camera(i) for i in range(50)] == [Utility(50, seed=9).camera(i) for i in range(50)]


def test_a_card_comes_with_its_customers_meter():
    utility = Utility(5, seed=2)
    for sent in utility:
        assert sent.meter.plausible(sent.card.truth) and utility.meter(sent.card.customer) == sent.meter


@pytest.mark.parametrize("stranger", ["C0000005", "walk-in-000001", "", "C-1", "C" + "1" * 4_400])
def test_nobody_knows_a_strangers_meter(stranger):
    assert Utility(5).meter(stranger) is None
