"""The reviewed lists of mutants that are no faults: each entry is a mutant of today's solution."""

import pytest

from fsdl_course.grading.mutants.equivalent import EquivalentsError, equivalents
from fsdl_course.grading.mutants.trial import TriedQuestion
from fsdl_course.labs import convert, questions
from fsdl_deploy.paths import ROOT


@pytest.mark.parametrize("lab", convert.names())
def test_every_entry_is_a_mutant_of_the_solution_as_it_is(lab):
    solved, _ = convert.both(lab)
    answers = [convert.question_of(cell) for cell in solved.cells if cell.cell_type == "code"]
    cells = convert.gradable(solved.cells)
    listed = equivalents(lab)
    for question in {entry.question for entry in listed}:
        asked = questions.load(ROOT / "solutions" / lab).question(question)
        exercise = TriedQuestion(lab, asked, cells, answers.index(question), [])
        digests = {mutant.digest for mutant in exercise.mutants()}
        expired = [
            entry.change for entry in listed if entry.question == question and entry.mutant not in digests
        ]
        assert not expired, f"{lab} {question}: the solution has changed; read these again"
    assert len({entry.mutant for entry in listed}) == len(listed)


def test_a_lab_without_a_list_has_no_equivalents(tmp_path):
    assert equivalents("lab99", tmp_path) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[equivalent]", "no TOML"),
        ('[[equivalent]]\nquestion = "q1"\nmutant = "0123456789ab"\nchange = "a"', "reason"),
        ('[[equivalent]]\nquestion = "q1"\nmutant = "0123456789ab"\nchange = "a"\nreason = ""', "reason"),
        ('[[equivalent]]\nquestion = "q1"\nmutant = "line 3"\nchange = "a"\nreason = "b"', "hexadecimal"),
    ],
)
def test_a_list_that_cannot_be_used_says_why(tmp_path, text, says):
    folder = tmp_path / "solutions" / "lab99"
    folder.mkdir(parents=True)
    (folder / "equivalent.toml").write_text(text)
    with pytest.raises(EquivalentsError, match=says):
        equivalents("lab99", tmp_path)
