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
