"""Figures of costs: a dot for each crossing, a bar for each assumption, labelled axes, and words."""

import dataclasses

import numpy as np
import pytest

from fsdl_deploy.managed import (
    break_even,
    cost_figures,
    costs,
    hosting,
    infrastructure_settings,
    sensitivity,
)
from fsdl_deploy.managed.month import Month

MONTH = Month.recorded(2e8, 6.0, overhead=0.00466, cold_seconds=0.468)
PAIR = (hosting.LAMBDA, hosting.FARGATE)


@pytest.mark.parametrize("log", [True, False])
def test_each_place_is_a_line_and_each_crossing_a_dot(shown_figures, log):
    span = (1.5e8, 5e8)
    cost_figures.bills(MONTH, None, PAIR, span, log=log)
    (((axes, *_), alt, legend),) = shown_figures
    crossings = break_even.crossings(*PAIR, MONTH, None, *span)
    *lines, here = axes.get_lines()
    (dots,) = [points for points in axes.collections if "passed" in points.get_label() or not log]
    assert [line.get_label() for line in lines] == list(PAIR) == legend[:2]
    assert len(crossings) > 3
    crossings = crossings[:1] if log else crossings
    assert list(dots.get_offsets()[:, 0]) == [crossing.readings for crossing in crossings]
    labels = sorted(text.get_text() for text in axes.texts)
    assert labels == sorted(f"{crossing.readings / 1e6:,.0f} M" for crossing in crossings)
    assert set(here.get_xdata()) == {MONTH.readings}
    assert axes.get_xscale() == ("log" if log else "linear") and "readings" in alt
    readings, totals = lines[1].get_data()
    assert totals[-1] == pytest.approx(
        hosting.bill(PAIR[1], Month(**{**vars(MONTH), "readings": readings[-1]})).total
    )


def test_each_assumption_is_a_bar_between_its_ratios(shown_figures):
    rows = sensitivity.turned(*PAIR, MONTH)
    cost_figures.tornado(rows, PAIR)
    (((axes, *_), alt, legend),) = shown_figures
    bars = [bar for bar in axes.patches if bar.get_width()]
    ends = {(round(bar.get_x(), 6), round(bar.get_x() + bar.get_width(), 6)) for bar in bars}
    assert ends == {tuple(sorted((round(row.at_low, 6), round(row.at_high, 6)))) for row in rows if row.moves}
    left, right = axes.get_xlim()
    assert left < min(low for low, _ in ends) and right > max(high for _, high in ends)
    assert legend == ["decides", "does not"] and "Lambda" in alt


def test_where_nothing_moves_there_is_a_sentence_and_a_place_that_cannot_be_had_has_no_line(shown_figures):
    idle = sensitivity.turned(*PAIR, dataclasses.replace(MONTH, readings=0))
    with pytest.raises(ValueError, match="nothing moves the bill of Lambda over that of Fargate"):
        cost_figures.tornado(idle, PAIR)
    large = dataclasses.replace(MONTH, bytes_in=5e6)
    places = (hosting.LAMBDA, hosting.SERVERLESS, hosting.FARGATE)
    cost_figures.bills(large, places=places, span=(1e4, 1e6))
    (((axes, *_), _, _),) = shown_figures
    assert [line.get_label() for line in axes.get_lines()] == [hosting.LAMBDA, hosting.FARGATE]


def test_the_cheapest_place_has_its_colour_and_each_traffic_its_star(shown_figures):
    work = costs.Work(0.01)
    traffics = {"low": (2_000, 60.0), "steady": (8e7, 1.0)}
    cost_figures.cheapest_places(work, traffics)
    (((axes, *_), alt, legend),) = shown_figures
    (mesh,) = axes.collections
    place = mesh.get_array()
    days, bursts = np.logspace(3, 8, 61), np.logspace(0, 2, 41)
    assert place.shape == (41, 61) and set(np.unique(place)) == {0, 1, 2, 3}
    for row, column in ((0, 0), (0, 60), (40, 0), (40, 60), (0, 40)):
        name = costs.cheapest(days[column], bursts[row], work).place
        expected = {"function": "function", "one": "one", "2": "two"}.get(name.split()[0], "more")
        assert legend[int(place[row, column])].split()[0] == expected
    assert legend == list(cost_figures.KINDS)
    stars = [line.get_xydata()[0].tolist() for line in axes.get_lines() if line.get_marker() == "*"]
    assert stars == [[2_000, 60.0], [8e7, 1.0]]
    cores = costs.prices()["server_cores"].value
    assert axes.texts[1].get_text() == f"steady: busy {100 * 8e7 * 0.01 / 86_400 / cores:.2g} %"
    assert "function for the low month" in alt and "servers behind a balancer for the steady month" in alt


@pytest.mark.parametrize("back, when", [(62, "after"), (200, "before")])
def test_an_endpoint_left_running_costs_by_the_hour_and_the_words_say_which_message_comes_first(
    shown_figures, back, when
):
    plan = infrastructure_settings.settings()
    cost_figures.forgotten(plan, budget_hour=90.0, back=back)
    (((axes, *_), alt, _),) = shown_figures
    cost, alarm, budget, again = axes.get_lines()
    hours, dollars = cost.get_data()
    assert dollars[-1] == pytest.approx(hours[-1] * plan.hourly()) and hours[-1] > max(90, back)
    assert list(alarm.get_xdata()) == [plan.idle_hours] and list(budget.get_xdata()) == [90.0]
    assert budget.get_ydata()[0] == pytest.approx(90 * plan.hourly())
    assert set(again.get_xdata()) == {back}
    assert f"the budget writes {when} somebody looks again" in alt
