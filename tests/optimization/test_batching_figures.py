"""Batches in figures: every caller's card is read, deadlines are said in ms, padding is counted."""

import numpy as np
import pytest

from fsdl_course.optimization import batching_figures
from fsdl_deploy.measuring.load_result import Load
from fsdl_deploy.reader import pad
from fsdl_deploy.service.batching import Batcher


def test_callers_give_the_cards_of_the_deck_in_turn():
    seen = []
    batcher = Batcher(lambda images: seen.extend(images) or list(images), 4, 0)
    try:
        load = batching_figures.callers(batcher, ["a", "b", "c"], users=2, calls=10)
    finally:
        batcher.close()
    assert load.requests == 10 and load.errors == 0
    assert sorted(seen) == sorted("abcabcabcabc")  # two more calls begin, one a caller, and do not count


def test_a_line_is_its_deadline_in_ms_and_ends_at_the_most_callers(shown_figures):
    def load(latency: float) -> Load:
        latencies = np.array([*[1.0] * 8, latency, latency])
        return Load(10, 2.0, latencies, latencies)

    batching_figures.deadlines({0: [load(5)], 0.002: [load(7), load(9)]})
    (axes,), _, _ = shown_figures[0]
    assert [line.get_label() for line in axes.get_lines()] == ["0 ms", "2 ms"]
    first, second = axes.get_lines()
    assert list(second.get_xdata()) == [5.0, 5.0]
    assert list(second.get_ydata()) == pytest.approx(
        [np.percentile([1] * 8 + [late] * 2, 90) for late in (7, 9)]
    )
    assert first.get_ydata()[0] < second.get_ydata()[0]


def test_padding_is_the_extra_share_of_the_cards_own_pixels():
    class Fake:
        rows = 0

        def run(self, pictures, widths):
            self.rows += len(widths)

    deck, reader = [np.zeros((32, 100), np.uint8), np.zeros((32, 300), np.uint8)], Fake()
    ways = {"alone": [pad([image]) for image in deck], "together": [pad(deck)]}
    table = batching_figures.padding(reader, deck, ways, rounds=2)
    assert [row[::2] for row in table.rows] == [["alone", "0%"], ["together", "50%"]]
    assert reader.rows == 3 * 2 * len(deck)  # a first round to warm up, then two
