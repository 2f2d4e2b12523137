import numpy as np
import pytest

from fsdl_deploy.training.recipes import LONG, schedule


def test_schedule_warms_up_falls_and_starts_again_lower():
    recipe = LONG["teacher"]
    first, second, third = recipe.phases
    rates, phases, longest = zip(*(schedule(step, recipe) for step in range(recipe.steps)), strict=True)
    assert max(rates) == pytest.approx(first.peak) and rates[0] < first.peak / 50
    top = int(np.argmax(rates))
    assert list(rates[:top]) == sorted(rates[:top])
    assert list(rates[top : first.steps]) == sorted(rates[top : first.steps], reverse=True)
    assert rates[first.steps] == second.peak > rates[first.steps - 1] and rates[-1] < first.peak / 1e3
    assert phases[0] is first and phases[first.steps] is second and phases[-1] is third
    assert first.strength == 1.0 > third.strength
    assert longest[0] == 3 and set(longest[first.steps // 2 :]) == {9}
