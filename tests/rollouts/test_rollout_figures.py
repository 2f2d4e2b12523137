"""Figures of rollouts: the share ends where the controller left it, and the words say which cards tell."""

import pytest

from fsdl_deploy.rollouts import rollout_figures


@pytest.mark.parametrize("last", [0.0, 1.0])
def test_the_share_stays_where_the_last_change_left_it(shown_figures, last):
    changes = [(0.5, 0.25, "step 1"), (6.0, 0.5, "step 2"), (12.0, last, "an alarm")]
    rollout_figures.course(changes, good=[1.0, 2.0, 13.5], bad=[7.0], candidate="v9")
    (((axes,), alt, _),) = shown_figures
    share, right, wrong = axes.get_lines()
    assert share.get_label() == "share of v9" and share.get_drawstyle() == "steps-post"
    assert list(share.get_xdata()) == [0.5, 6.0, 12.0, 14.5]  # beyond the last answer
    assert list(share.get_ydata()) == [0.25, 0.5, last, last]
    assert list(right.get_xdata()) == [1.0, 2.0, 13.5] and list(wrong.get_xdata()) == [7.0]
    assert f"25%, 50%, {last:.0%}" in alt and "1 of its 4 answers are wrong" in alt


def test_a_rollout_without_answers_has_a_figure_and_one_without_steps_has_none(shown_figures):
    rollout_figures.course([(0.5, 0.25, "step 1")], good=[], bad=[], candidate="v9")
    assert "0 of its 0" in shown_figures[0][1]
    with pytest.raises(ValueError, match="has taken a step"):
        rollout_figures.course([], good=[], bad=[], candidate="v9")


def test_each_judge_has_its_part_and_each_group_its_line(shown_figures):
    by_judge = {
        "labels": {"scanner": [0.0, 0.1], "old phone": [0.6, 1.0]},
        "certainty": {"scanner": [0.5, 0.9], "old phone": [0.2, 0.3]},
    }
    rollout_figures.power([50, 100], by_judge)
    ((parts, alt, _),) = shown_figures
    assert [axes.get_title() for axes in parts] == ["by labels", "by certainty"]
    for axes, lines in zip(parts, by_judge.values(), strict=True):
        drawn = {line.get_label(): list(line.get_ydata()) for line in axes.get_lines()}
        assert drawn == lines and all(list(line.get_xdata()) == [50, 100] for line in axes.get_lines())
    assert "by labels, old phone tell soonest; by certainty, scanner tell soonest" in alt
