"""Readers around readers: a hit is a card that the cache still has, shares are of one change alone."""

import numpy as np
import pytest

from fsdl_course.optimization import around_readers
from fsdl_deploy.cards import cards
from fsdl_deploy.optimization.cascade import CascadeReader
from fsdl_deploy.reading import Reading


@pytest.mark.parametrize(
    ("uploads", "size", "rate"),
    [
        ([1, 1, 1, 1], 1, 3 / 4),
        ([1, 2, 1, 2], 1, 0),
        ([1, 2, 1, 2], 2, 1 / 2),
        ([1, 2, 1, 3, 1, 2], 2, 2 / 6),  # 3 pushes out 2, which was unused for longer than 1
    ],
)
def test_a_full_cache_forgets_what_was_unused_for_longest(uploads, size, rate):
    assert around_readers.hit_rate(uploads, size) == pytest.approx(rate)


def test_the_line_goes_through_every_size(shown_figures):
    around_readers.hit_rates({10: 0.2, 100: 0.6})
    (axes,), _, _ = shown_figures[0]
    assert axes.get_lines()[0].get_xydata().tolist() == [[10, 0.2], [100, 0.6]]


class Same:
    """Says the same of every card, and is unsure of dark ones."""

    def __init__(self, digits: str):
        self.model_version = self.digits = digits

    def read(self, images):
        return [Reading(self.digits, float(image.mean() > 128), (1.0,), self.digits) for image in images]


def test_right_and_handed_on_are_counted_for_each_change_alone():
    deck = list(cards(4, "typical", seed=1))
    cascade = CascadeReader(Same("no number"), Same(deck[0].truth))
    table = around_readers.handed_on(
        cascade, deck, {"as they are": np.array, "dark": lambda image: 255 - image}
    )
    assert [row[0] for row in table.rows] == ["as they are", "dark"]
    assert table.rows[0][1:] == ["0.0%", "0.0%"]
    right = sum(card.truth == deck[0].truth for card in deck) / len(deck)
    assert table.rows[1][1:] == [f"{right:.1%}", "100.0%"]
