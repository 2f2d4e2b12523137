"""Figures of batch prediction: shares that fill the bar, and what fits into a night said in words."""

import pytest

from fsdl_deploy.batch import batch_figures


def test_the_steps_of_a_card_follow_each_other_and_fill_the_bar(shown_figures):
    batch_figures.card_steps({"open": 1.0, "inference": 6.0, "decode": 3.0})
    (((axes, *_), alt, legend),) = shown_figures
    ends = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in axes.patches]
    assert ends == [pytest.approx((0, 10)), pytest.approx((10, 70)), pytest.approx((70, 100))]
    assert legend == ["open 10 %", "inference 60 %", "decode 30 %"]
    assert alt.index("inference") < alt.index("decode") and "open" not in alt


def test_steps_without_time_are_refused(shown_figures):
    with pytest.raises(ValueError, match="measure at least one card"):
        batch_figures.card_steps({"open": 0.0, "decode": 0.0})


@pytest.mark.parametrize(("night", "fit"), [(6.5, ["few"]), (12.0, ["few", "many"]), (2.0, [])])
def test_what_fits_into_a_night_is_said(shown_figures, night, fit):
    batch_figures.possible_inputs({"few": 6.0, "many": 10.0, "never": 77.0}, night)
    (((axes, *_), alt, _),) = shown_figures
    assert [word for word in ("few", "many", "never") if word in alt] == fit
    assert ("none" in alt) is not bool(fit)
    assert set(axes.get_lines()[0].get_xdata()) == {night} and axes.get_xscale() == "log"
    assert [bar.get_width() for bar in axes.patches] == [6.0, 10.0, 77.0]


def test_each_way_has_its_rate(shown_figures):
    batch_figures.rates({"batch job": 90.0, "inference alone": 100.0, "loop": 20.0})
    (((axes,), _, _),) = shown_figures
    assert [bar.get_width() for bar in axes.patches] == [90, 100, 20]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["batch job", "inference alone", "loop"]


def test_latencies_are_shares_of_each_way_s_own_requests(shown_figures):
    batch_figures.latencies({"look up": [1.0, 2.0], "ask the model": [3.0, 4.0, 5.0, 6.0]})
    (((axes,), _, _),) = shown_figures
    shares = {line.get_label(): (line.get_xdata()[-1], line.get_ydata()[1]) for line in axes.get_lines()}
    assert shares == {"look up": (2.0, 0.5), "ask the model": (6.0, 0.25)}


def test_each_kind_of_age_is_a_line_over_the_schedules(shown_figures):
    batch_figures.ages({2: {"worst": 2.0, "best": 0.5}, 24: {"worst": 24.0, "best": 1.0}})
    (((axes,), _, _),) = shown_figures
    lines = {line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in axes.get_lines()}
    assert lines == {"worst": ([2, 24], [2.0, 24.0]), "best": ([2, 24], [0.5, 1.0])}
