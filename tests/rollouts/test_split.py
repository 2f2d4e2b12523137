"""Who answers whom: the hash is nginx's, a share grows without anybody leaving it, bad ones are named."""

from itertools import pairwise

import pytest

from fsdl_deploy.rollouts.split import CANDIDATE, STABLE, arm, bucket, buckets, murmur2

NAMES = [f"C{number:07d}" for number in range(4000)]


@pytest.mark.parametrize(
    ("text", "value"),
    [("", 0), ("a", 0x92685F5E), ("ab", 0x1AA14063), ("abc", 0x13577C9B), ("abcd", 0x26873021)],
)
def test_the_hash_is_murmur2_for_texts_of_every_length(text, value):
    """The values are those of A. Appleby's C, with the lengths modulo four that it treats apart."""
    assert murmur2(text) == value


def test_a_customer_who_was_in_stays_in_when_the_share_grows():
    shares = (0.01, 0.05, 0.25, 0.5, 1.0)
    groups = [{name for name in NAMES if arm(name, share) == CANDIDATE} for share in shares]
    for smaller, larger in pairwise(groups):
        assert smaller < larger
    for share, group in zip(shares, groups, strict=True):
        assert len(group) / len(NAMES) == pytest.approx(share, abs=0.02)


def test_nobody_at_no_share_and_everybody_at_all():
    assert {arm(name, 0) for name in NAMES} == {STABLE}
    assert {arm(name, 1) for name in NAMES} == {CANDIDATE}


def test_neighbours_are_spread_over_all_buckets():
    """Names that differ in the last letter only: as many in each tenth as chance would put there."""
    tenths = [sum(bucket(name) // 1000 == tenth for name in NAMES) for tenth in range(10)]
    assert all(400 - 5 * 19 < count < 400 + 5 * 19 for count in tenths)


def test_names_in_other_letters_have_a_bucket_too():
    assert bucket("Zoë") != bucket("Zoe") and 0 <= bucket("客户") < 10_000


@pytest.mark.parametrize(("share", "count"), [(0, 0), (0.07, 700), (0.29, 2900), (0.0123, 123), (1, 10_000)])
def test_a_share_is_exactly_so_many_buckets(share, count):
    assert buckets(share) == count


@pytest.mark.parametrize("bad", [-0.1, 1.1, float("nan"), "5 %", True, None, 0.00001])
def test_what_is_no_share_is_refused_in_a_sentence(bad):
    with pytest.raises(ValueError, match="share"):
        buckets(bad)
