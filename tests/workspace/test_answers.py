"""Answers in a newer version of a lab: every one of them is kept, and the course's own text is the "
"newer one."""

import copy

import pytest
from lab_cells import answer, check, plain

from fsdl_course.workspace.answers import NoPlace, merged
from fsdl_course.workspace.copies import MARK


def notebook(*cells: dict) -> dict:
    return {"cells": [copy.deepcopy(cell) for cell in cells], "metadata": {MARK: {"digest": "new"}}}


TEXT = plain("0123456789ab", "Exercise.")
BASE = notebook(
    TEXT,
    answer("q1", "stub"),
    check("q1", "check(1)"),
    answer("q2", "*Your answer here.*", "markdown"),
)


def sources(notebook: dict) -> list[str]:
    return [cell["source"] for cell in notebook["cells"]]


def begun(**answers: str) -> dict:
    student = copy.deepcopy(BASE)
    for cell in student["cells"]:
        cell["source"] = answers.get(cell["id"], cell["source"])
    return student


def test_answers_go_into_the_newer_text_and_what_is_empty_gets_the_newer_start():
    newer = notebook(
        plain("ba9876543210", "A better exercise."),
        answer("q1", "stub"),
        check("q1", "check(1, 2)"),
        answer("q2", "*Write here.*", "markdown"),
    )
    result = merged(begun(q1="return 42"), newer, BASE)
    assert sources(result.notebook) == ["A better exercise.", "return 42", "check(1, 2)", "*Write here.*"]
    assert (result.answers, result.changed) == (["q1"], [])
    assert result.notebook["metadata"][MARK] == {"digest": "new"}


@pytest.mark.parametrize("base", [BASE, None], ids=["known", "unknown"])
def test_an_answer_stays_where_the_course_changed_its_start_too(base):
    newer = notebook(TEXT, answer("q1", "another stub"), check("q1", "check(1)"))
    result = merged(begun(q1="return 42"), newer, base)
    assert "return 42" in sources(result.notebook)
    assert result.changed == (["q1"] if base else [])


def test_a_start_that_nobody_changed_is_no_answer():
    newer = notebook(TEXT, answer("q1", "another stub"), check("q1", "check(1)"))
    result = merged(begun(), newer, BASE)
    assert sources(result.notebook)[1] == "another stub" and not result.answers


@pytest.mark.parametrize("base", [BASE, None], ids=["known", "unknown"])
def test_an_answer_without_a_place_is_named_and_an_empty_one_is_not_missed(base):
    newer = notebook(TEXT, answer("q2", "*Your answer here.*", "markdown"))
    with pytest.raises(NoPlace, match="q1"):
        merged(begun(q1="return 42"), newer, base)
    if base:
        assert not merged(begun(), newer, base).answers


def test_locked_cells_are_the_courses():
    student = begun(**{"q1-check": "print('right')"})
    assert sources(merged(student, BASE, BASE).notebook)[2] == "check(1)"


def test_cells_of_ones_own_stay_behind_the_cell_they_stood_behind():
    student = begun(q1="return 42")
    student["cells"].insert(2, plain("of-their-own", "print(try_it())", "code"))
    student["cells"].append(plain("a-last-note", "Ask about this."))
    newer = notebook(plain("ba9876543210", "Newer."), *BASE["cells"][1:])
    merged_sources = sources(merged(student, newer, None).notebook)
    assert merged_sources == [
        *("Newer.", "return 42", "print(try_it())", "check(1)", "*Your answer here.*", "Ask about this.")
    ]


def test_a_prediction_stays_with_its_output_and_changed_code_loses_its_output():
    guess = plain("aaaaaaaaaaaa", "GUESS = None", "code")
    old = plain("bbbbbbbbbbbb", "measure()", "code")
    student = notebook(guess, old, answer("q1", "return 1"))
    student["cells"][0] |= {"source": "GUESS = 3", "execution_count": 1, "outputs": [{"text": "3"}]}
    student["cells"][1] |= {"execution_count": 2, "outputs": [{"text": "slow"}]}
    newer = notebook(guess, plain("cccccccccccc", "measure_better()", "code"), answer("q1", "stub"))
    first, second, third = merged(student, newer, None).notebook["cells"]
    assert (first["source"], first["outputs"]) == ("GUESS = 3", [{"text": "3"}])
    assert second["source"] == "measure_better()" and not second.get("outputs")
    assert third["source"] == "return 1"
