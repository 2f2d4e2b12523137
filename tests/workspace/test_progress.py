"""`fsdl-course progress`: what a working copy shows of how far somebody is."""

import pytest
from lab_cells import answer, check, plain

from fsdl_course.labs.exercise import Feedback, PartFeedback
from fsdl_course.workspace import copies
from fsdl_course.workspace.progress import RIGHT, UNCHECKED, WRONG, report, standing, way

LAB, START, BATCH = "labs/lab00/lab00.ipynb", "notebooks/01_start.ipynb", "notebooks/02_batch.ipynb"


def with_outputs(cells: list[dict]) -> dict:
    for cell in cells:
        cell |= {"outputs": [], "execution_count": None} if cell["cell_type"] == "code" else {}
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture
def begun(course):
    """The course with a lab of two exercises after lesson 02, copied into work/."""
    first = plain("0123456789ab", "# Lab\n\n**Prerequisites:** [Batch](../../notebooks/02_batch.ipynb)")
    prose = answer("q2", "*Your answer here.*", "markdown")
    course.put(LAB, with_outputs([first, answer("q1", "stub"), check("q1", "check(1)"), prose]))
    course.commit()
    copies.refresh(course.root)
    return course


def solve(begun, lines: str, count: int = 2):
    def change(cells):
        cells[1].update(source=["return 42"], execution_count=1)
        data = {"text/plain": lines.splitlines(True)}
        output = {"output_type": "display_data", "data": data, "metadata": {}}
        cells[2].update(execution_count=count, outputs=[output])

    begun.edit(begun.copy(LAB), change)


def test_a_lab_comes_after_the_lesson_that_it_asks_for(begun):
    assert way(begun.root) == [START, BATCH, LAB]


def test_nothing_is_begun_in_a_fresh_copy_even_where_the_course_brings_outputs(begun):
    begun.edit(begun.root / START, lambda cells: cells[0].update(execution_count=1))
    begun.commit()
    copies.refresh(begun.root)
    assert not any(standing(name, begun.root).begun for name in way(begun.root))
    assert report(begun.root)[-1] == f"Next: open work/{START}."


def test_a_lesson_is_complete_when_its_cells_were_run_but_for_those_that_need_a_station(begun):
    begun.edit(
        begun.root / START,
        lambda cells: cells.insert(
            1, {**cells[0], "id": "c", "metadata": {"tags": ["station:grpc"]}, "source": ["call()"]}
        ),
    )
    begun.commit()
    copies.refresh(begun.root)
    begun.edit(begun.copy(START), lambda cells: cells[0].update(execution_count=1))
    stand = standing(START, begun.root)
    assert stand.complete and stand.sentence() == "run to the end"
    assert report(begun.root)[-1] == f"Next: open work/{BATCH}."


def feedback(*problems: str) -> str:
    """What a notebook keeps of ``check``: its text, a part for each problem, "" for none."""
    parts = [PartFeedback(f"part {number}", "f(1)", problem) for number, problem in enumerate(problems)]
    return repr(Feedback("lab00.q1 A title", parts, private=2))


@pytest.mark.parametrize(
    "lines, count, outcome",
    [
        (feedback("", ""), 2, RIGHT),
        (feedback("", "no  luck"), 2, WRONG),
        ("NotImplementedError\n", 2, UNCHECKED),
        (feedback(""), 0, UNCHECKED),  # the answer was run again after its check
    ],
)
def test_an_exercise_is_what_its_check_showed_last(begun, lines, count, outcome):
    solve(begun, lines, count)
    first, second = standing(LAB, begun.root).exercises
    assert (first.answered, first.outcome, second.answered) == (True, outcome, False)


def test_the_next_step_names_what_is_missing_and_prose_counts_as_an_answer(begun):
    for name in (START, BATCH):
        begun.edit(begun.copy(name), lambda cells: cells[0].update(execution_count=1))
    solve(begun, feedback(""))
    assert report(begun.root)[-1] == f"Next: go on with work/{LAB}: q2 (no answer)."
    begun.edit(begun.copy(LAB), lambda cells: cells[3].update(source=["Because it waits."]))
    assert report(begun.root)[-1].startswith("All of it is complete.")


def test_a_damaged_copy_is_said_first_and_a_missing_folder_is_no_error(begun, tmp_path_factory):
    begun.copy(BATCH).write_text("{")
    assert "'fsdl-course reset 02_batch'" in report(begun.root)[-1]
    empty = tmp_path_factory.mktemp("fresh")
    assert "make lab" in report(empty)[0]
