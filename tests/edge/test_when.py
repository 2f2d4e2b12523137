"""When the edge wins: the line, on both sides of it, and real points behind a link that delays."""

import math

import pytest

from fsdl_deploy.edge import frontier, when
from fsdl_deploy.edge.frontier import PlacedModel


def test_on_the_line_both_take_as_long():
    model = when.wins_below(100, 5, slower=4)
    assert when.here(model, 4) == pytest.approx(when.there(100, model, 5))
    assert when.here(model * 0.9, 4) < when.there(100, model * 0.9, 5)
    assert when.here(model * 1.1, 4) > when.there(100, model * 1.1, 5)
    assert when.wins_below(0, 5, slower=1) == math.inf


def test_a_real_link_makes_the_service_wait_and_not_the_device():
    near, far = when.measure(["v2"], (0, 200), calls=2)
    assert far.there >= 200 and near.computed == pytest.approx(near.there)
    assert far.there >= near.there and far.here < 200


def test_only_what_no_other_beats_is_worth_choosing():
    points = {"a": (10, 0.9), "b": (20, 0.8), "c": (30, 0.95), "d": (10, 0.85), "e": (40, 0.95)}
    among = [PlacedModel(name, "here", *point) for name, point in points.items()]
    assert [choice.model for choice in frontier.worth_choosing(among)] == ["a", "c"]


def test_the_round_trip_moves_the_better_model_out_of_reach():
    models, right = {"small": 1.0, "large": 5.0}, {"small": 0.95, "large": 0.97}
    near = frontier.choices(models, right, round_trip=1, overhead=2, slower=16)
    far = frontier.choices(models, right, round_trip=300, overhead=2, slower=16)
    assert [(c.model, c.place) for c in frontier.worth_choosing(near)] == [
        ("small", "there"),
        ("large", "there"),
    ]
    assert [(c.model, c.place) for c in frontier.worth_choosing(far)] == [
        ("small", "here"),
        ("large", "here"),
    ]


def test_accuracies_come_from_the_records_and_int8_loses():
    right = frontier.accuracies()
    assert right["v1"] < right["v2 int8"] <= right["v2"] < right["teacher"]


def test_times_are_of_the_models_that_are_asked_for(tmp_path):
    times = frontier.times(tmp_path, count=2, rounds=1, among=("v2", "teacher"))
    assert list(times) == ["v2", "teacher"] and 0 < times["v2"] < times["teacher"]
    assert not list(tmp_path.iterdir())  # no int8 graph was made
