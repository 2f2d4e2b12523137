import numpy as np
import pytest

from fsdl_deploy.models import Student
from fsdl_deploy.training.recipes import RECIPES, Phase, Recipe, schedule


def test_schedule_warms_up_falls_and_starts_again_lower():
    first, second = Phase(300, 4e-3), Phase(600, 3e-3, 0.35)
    recipe = Recipe(Student, (first, second), seed=0)
    rates, phases, longest = zip(*(schedule(step, recipe) for step in range(recipe.steps)), strict=True)
    assert max(rates) == pytest.approx(first.peak) and rates[0] < first.peak / 20
    top = int(np.argmax(rates))
    assert list(rates[:top]) == sorted(rates[:top])
    assert list(rates[top : first.steps]) == sorted(rates[top : first.steps], reverse=True)
    assert rates[first.steps] == second.peak > rates[first.steps - 1] and rates[-1] < first.peak / 1e3
    assert phases[0] is first and phases[first.steps] is second
    assert longest[0] == 3 and set(longest[first.steps // 2 :]) == {9}


def test_the_teacher_comes_first_and_teaches_v2_alone():
    assert next(iter(RECIPES)) == "teacher"
    assert [name for name, recipe in RECIPES.items() if recipe.taught] == ["v2"]
