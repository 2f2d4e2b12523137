"""Figures of rollouts: what customers got while a share moved, and how many cards tell two versions apart

Knows how to draw; nothing is measured here.
"""

from collections.abc import Mapping, Sequence

from fsdl_deploy import figures


def course(
    changes: Sequence[tuple[float, float, str]], good: Sequence[float], bad: Sequence[float], candidate: str
) -> None:
    """Display the candidate's share over time, and the moments of its right and its wrong answers.

    ``changes``: seconds, the share from then on, and why. ``good``, ``bad``: seconds of its answers. Raises
    ValueError where the share never changed, since then nothing was rolled out.
    """
    import matplotlib.pyplot as plt

    if not changes:
        raise ValueError("the share never changed: show a rollout that has taken a step")
    moments, shares = [moment for moment, *_ in changes], [share for _, share, _ in changes]
    figure, axes = plt.subplots(figsize=(7, 2.8))
    last = max([moments[-1], *good, *bad]) + 1
    axes.step([*moments, last], [*shares, shares[-1]], where="post", color="black",
              label=f"share of {candidate}")  # fmt: skip
    axes.plot(good, [0.05] * len(good), "|", label="its right answers")
    axes.plot(bad, [0.1] * len(bad), "x", label="its wrong answers")
    axes.set(xlabel="seconds", ylabel="share of the traffic", ylim=(-0.03, 1.05))
    axes.legend()
    steps = ", ".join(f"{share:.0%}" for share in shares)
    given = f"{len(bad)} of its {len(good) + len(bad)} answers are wrong"
    figures.show(figure, alt=f"The share of {candidate} goes to {steps}; {given}")


def power(sizes: Sequence[int], by_judge: Mapping[str, Mapping[str, Sequence[float]]]) -> None:
    """Display the share of tests that see a difference, against the cards read by both versions.

    ``by_judge``: a part of the figure for each judge of the answers (labels, disagreement), in it a line for
    each group of cards, a share from 0 to 1 for each of ``sizes``.
    """
    import matplotlib.pyplot as plt

    width = 5 * len(by_judge)
    figure, parts = plt.subplots(1, len(by_judge), figsize=(width, 3.4), sharey=True, squeeze=False)
    for axes, (judge, lines) in zip(parts[0], by_judge.items(), strict=True):
        for group, seen_by in lines.items():
            axes.plot(sizes, seen_by, "o-", label=group)
        axes.set(xscale="log", xlabel="cards read by both", ylabel="tests that see it", ylim=(-0.02, 1.02))
        axes.set(title=f"by {judge}")
    parts[0][0].legend(fontsize=9)
    words = [
        f"by {judge}, {max(lines, key=lambda group: sum(lines[group]))} tell soonest"
        for judge, lines in by_judge.items()
    ]
    figures.show(figure, alt=f"Tests that see the difference, against cards: {'; '.join(words)}")
