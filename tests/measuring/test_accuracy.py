import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsdl_deploy.measuring.accuracy import (
    align,
    character_error_rate,
    clustered,
    confusion,
    exact_match,
    fixed_and_broken,
    paired_p,
    same_reader,
    wilson,
)
from fsdl_deploy.reading import Reading

NUMBERS = st.text("0123", max_size=8)


def test_another_reader_is_seen():
    readings = [Reading("123", 0.9, (0.9,) * 3, "v2"), Reading("45", 0.4, (0.4,) * 2, "v2")]
    first, second = {"digits": "123", "confidence": 0.9}, {"digits": "45", "confidence": 0.4 + 1e-7}
    own = ["the same digits:     2 of 2", "the same confidence: True"]
    assert same_reader([first, second], readings).splitlines() == own
    by_hand = [first | {"by_hand": False}, second | {"by_hand": True}]
    assert same_reader(by_hand, readings).splitlines() == [*own, "for a person to read: 1"]
    text = same_reader([first, {"digits": "44", "confidence": 0.41}], readings)
    assert "1 of 2" in text and "confidence: False" in text
    with pytest.raises(ValueError, match="zip"):
        same_reader([first], readings)


@given(NUMBERS, NUMBERS)
def test_alignment_spells_both_strings(truth, reading):
    pairs = align(truth, reading)
    assert "".join(w for w, _ in pairs) == truth
    assert "".join(r for _, r in pairs) == reading
    assert sum(w != r for w, r in pairs) <= max(len(truth), len(reading))


def test_alignment_is_the_cheapest():
    assert align("12345", "1245") == [("1", "1"), ("2", "2"), ("3", ""), ("4", "4"), ("5", "5")]
    assert align("12", "132") == [("1", "1"), ("", "3"), ("2", "2")]


def test_error_rates():
    assert exact_match(["12", "34", "56"], ["12", "35", "5"]) == pytest.approx(1 / 3)
    assert character_error_rate(["1234", "5"], ["1243", ""]) == pytest.approx(3 / 5)


def test_confusion_counts_every_digit_once():
    counts = confusion(["123", "33"], ["153", "3"])
    assert counts[2, 5] == 1 and counts[3, 10] == 1 and counts[10].sum() == 0
    assert counts[:10].sum() == 5 and np.trace(counts) == 3


def test_wilson_interval_against_known_values():
    # Newcombe 1998, table I: 81 of 263.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(10, 10)[1] == pytest.approx(1) and wilson(10, 10)[0] < 0.8
    with pytest.raises(ValueError):
        wilson(1, 0)


def test_the_paired_test_against_known_values():
    assert paired_p(1, 9) == paired_p(9, 1) == pytest.approx(22 / 1024)
    assert paired_p(0, 6) == pytest.approx(2 / 64) and paired_p(3, 3) == paired_p(0, 0) == 1
    assert paired_p(700, 900) == pytest.approx(6.4e-7, rel=0.02)
    with pytest.raises(ValueError, match="not counts"):
        paired_p(-1, 2)


def test_fixed_is_wrong_before_and_right_now():
    assert fixed_and_broken([False, False, True, True], [True, True, False, True]) == (2, 1)


def drawn(rng, hardness, digits, cards):
    """Whether each card is right, and its digits: a card with a hard digit is misread more often."""
    written = rng.integers(0, digits, (cards, 5))
    misread = rng.random(written.shape) < hardness[written]
    return ~misread.any(1), written


def test_cards_that_share_hard_digits_say_less():
    rng = np.random.default_rng(0)
    hardness = np.where(rng.random(200) < 0.05, 0.7, 0.005)
    low, high = clustered(*drawn(rng, hardness, 200, 800))
    plain_low, plain_high = wilson(640, 800)
    assert high - low > 1.5 * (plain_high - plain_low)


def test_the_interval_holds_the_share_of_all_digits_as_often_as_it_says():
    """Two hundred tests, each with digits of its own: from the same world, of which the share is known."""
    rng = np.random.default_rng(1)
    world = np.where(rng.random(50_000) < 0.03, 0.7, 0.005)
    share, _ = drawn(rng, world, 50_000, 200_000)
    truth, held, held_plain = share.mean(), 0, 0
    for _ in range(200):
        right, written = drawn(rng, rng.choice(world, 300), 300, 600)
        low, high = clustered(right, written)
        held += low <= truth <= high
        low, high = wilson(right.sum(), 600)
        held_plain += low <= truth <= high
    assert held / 200 > 0.9 > held_plain / 200


def test_cards_of_different_digits_are_independent():
    right = [True] * 18 + [False] * 2
    assert clustered(right, [[place] for place in range(20)]) == pytest.approx(wilson(18, 20))
    assert clustered([True] * 20, [[0, 1]] * 20) == pytest.approx(wilson(20, 20))
