"""Memory that models add to a process: the differences between its reports, and a failure has its reason."""

import pytest

from fsdl_deploy.prototype import model_memory


def test_what_each_step_adds_is_the_difference_to_the_one_before(monkeypatch):
    monkeypatch.setattr(model_memory, "LOADING", "print(100.0); print(120.5); print(300.5); print(700.5)")
    assert model_memory.added_by_models() == {"student": 20.5, "teacher": 180, "100 M weights": 400}


def test_a_process_that_fails_says_why(monkeypatch):
    monkeypatch.setattr(model_memory, "LOADING", "raise MemoryError('no room')")
    with pytest.raises(RuntimeError, match="MemoryError: no room"):
        model_memory.added_by_models()
