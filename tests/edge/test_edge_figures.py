"""Figures of the edge: what is shown_figures is what was given, and the words are counted from it."""

import numpy as np
import pytest

from fsdl_deploy.edge import edge_figures, in_the_field, when
from fsdl_deploy.edge.basement import CardsOfAWay


def test_below_a_line_the_device_is_sooner_and_above_it_the_server(shown_figures):
    edge_figures.wins({"v2": 0.1, "teacher": 20.0}, overhead=3.0)
    (((axes,), alt, _),) = shown_figures
    four, sixteen, *models = axes.get_lines()
    for line, slower in ((four, 4), (sixteen, 16)):
        trip, ms = line.get_xdata()[50], line.get_ydata()[50]
        assert when.here(0.9 * ms, slower) < when.there(trip, 0.9 * ms, 3.0)
        assert when.here(1.1 * ms, slower) > when.there(trip, 1.1 * ms, 3.0)
    assert [line.get_ydata()[0] for line in models] == [0.1, 20.0]
    words = "v2 wins from a round trip of 0 ms on, teacher wins from a round trip of 297 ms on"  # 15 × 20 - 3
    assert alt == f"On a device 16 times slower {words}"


def test_a_choice_is_where_its_time_and_model_are_and_the_words_name_the_place(shown_figures):
    ms, right = {"large": 5.0, "small": 1.0}, {"large": 0.97, "small": 0.95}
    edge_figures.choices(ms, right, overhead=2.0, round_trips=(1, 300), slower=16)
    (((near, far), alt, _),) = shown_figures
    dots = {(round(line.get_xdata()[0], 6), line.get_ydata()[0]) for line in near.get_lines()[:4]}
    assert dots == {(16.0, 0), (80.0, 1), (4.0, 0), (8.0, 1)}  # small is the lower row
    assert list(far.get_lines()[-1].get_xdata()) == [16.0, 80.0], "far away both are worth choosing here"
    assert [label.get_text() for label in near.get_yticklabels()] == [
        "small: 95.0%",
        "large: 97.0%",
    ]
    assert alt.endswith("sooner there with a round trip of 1 ms and here with a round trip of 300 ms")


def test_a_card_stands_at_the_moment_of_its_picture_also_where_nothing_was_seen(shown_figures):
    ways = [CardsOfAWay("there", 4), CardsOfAWay("here", 4, {0: 0.1, 2: 0.3, 3: 0.9})]
    edge_figures.link(ways, [(0.5, 1.0)], seconds=8.0, deadline=0.5)
    (((axes,), alt, _),) = shown_figures
    nothing, seen, deadline = axes.get_lines()
    assert not len(nothing.get_xdata())
    assert list(seen.get_xdata()) == [0.0, 4.0, 6.0] and list(seen.get_ydata()) == [0.1, 0.3, 0.9]
    (grey,) = axes.patches
    assert (grey.get_x(), grey.get_width()) == (0.5, 0.5) and deadline.get_ydata()[0] == 0.5
    assert alt.endswith("there, 0 of 4; here, 2 of 4")


def test_each_version_is_a_band_with_its_number_in_it(shown_figures):
    shares = in_the_field.shares(120, [0, 30, 60], p=0.08, never=0.25)
    edge_figures.versions(shares)
    (((axes,), alt, _),) = shown_figures
    assert [text.get_text() for text in axes.texts] == ["1", "2", "3", "4"]
    for number, text in enumerate(axes.texts):
        day, height = round(text.get_position()[0]) - 3, text.get_position()[1]
        below = shares[day, :number].sum()
        assert below < height < below + shares[day, number] and 0 <= day < 115
    tops = [band.get_paths()[0].vertices[:, 1].max() for band in axes.collections]
    assert tops == pytest.approx([shares[:, : number + 1].sum(1).max() for number in range(4)])
    assert np.isclose(shares[-1, 0], 0.25, atol=0.005) and "after 120 days" in alt and "25%" in alt


def test_the_costs_of_thresholds_and_the_cheapest_of_them(shown_figures):
    edge_figures.thresholds([0.0, 0.5, 1.0], [2.0, 0.5, 1.25], best=0.45)
    (((axes,), alt, _),) = shown_figures
    costs, best = axes.get_lines()
    assert list(costs.get_xdata()) == [0.0, 0.5, 1.0] and list(costs.get_ydata()) == [2.0, 0.5, 1.25]
    assert set(best.get_xdata()) == {0.45}
    assert "least, 0.50 €, near a threshold of 0.45; 2.00 € at 0, 1.25 € at 1" in alt
