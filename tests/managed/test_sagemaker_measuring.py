"""The figure of a rollout's steps: a dot for each weight, a bar for what was counted, words for both."""

from fsdl_deploy.managed import sagemaker_measuring as measuring


def test_each_step_is_a_bar_with_the_dot_of_its_weight_and_a_bar_beside_its_dot_is_not_counted(shown_figures):
    steps = {"a tenth": (0.1, 0.06, 0.17), "half": (0.5, 0.55, 0.7), "taken back": (0.0, 1e-18, 0.03)}
    measuring.draw_steps(steps)
    (((axes, *_), alt, _),) = shown_figures
    bars, dots = axes.get_lines()[::2], axes.get_lines()[1::2]
    assert [tuple(bar.get_xdata()) for bar in bars] == [step[1:] for step in steps.values()]
    assert [dot.get_xdata()[0] for dot in dots] == [step[0] for step in steps.values()]
    assert [label.get_text() for label in axes.get_yticklabels()] == list(steps)
    assert axes.get_xlim()[1] > 0.7 and axes.yaxis_inverted()
    assert alt.startswith("In 2 of 3 steps")
