"""From a lab's source to its notebooks: stubs, marks, the same bytes; what every lab must do."""

import functools
import json
import shutil
import time
from types import SimpleNamespace

import pytest

from fsdl_course import cli
from fsdl_course.grading.answer_key import answer_key
from fsdl_course.grading.notebook_file import slim
from fsdl_course.grading.scoring import score
from fsdl_course.grading.submissions import Submission
from fsdl_course.labs import build, convert, questions
from fsdl_course.labs.backends.unprotected import Unprotected
from fsdl_course.labs.inside import cells
from fsdl_course.notebooks.outputs import execute
from fsdl_course.notebooks.percent import NotebookError
from fsdl_deploy.paths import ROOT

LABS = convert.names()


@pytest.fixture
def course(tmp_path):
    """A course with lab00 alone, to be changed."""
    shutil.copytree(ROOT / "solutions" / "lab00", tmp_path / "solutions" / "lab00")
    (tmp_path / "models").symlink_to(ROOT / "models")  # whose records the answers quote
    (tmp_path / "notebooks").mkdir()
    shutil.copy(ROOT / "notebooks" / "00_tour.ipynb", tmp_path / "notebooks")
    return tmp_path


def test_a_stub_keeps_what_is_outside_the_solution():
    source = (
        "def f(x):\n    '''Twice.'''\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION\n\n"
        "A = 3  # SOLUTION: A = None"
    )
    assert convert.stub(source) == (f"def f(x):\n    '''Twice.'''\n    {convert.STUB}\n\nA = None")


def names_of(*sources, given=(), tags=()):
    """The names that cells leave behind as the grader runs them."""
    marks = {"metadata": {"tags": list(tags)}, "cell_type": "code"}
    compiler, names = cells.Cells(), cells.namespace()
    for cell in convert.gradable([SimpleNamespace(source=source, **marks) for source in sources], given):
        code = compiler.compiled(cell)
        assert not isinstance(code, str), code
        cells.run(code, names)
    return names


def test_what_only_ipython_understands_costs_no_cell():
    names = names_of(
        "%matplotlib inline\nif True:\n    !ls\n    x = 5 % 3\nprint?\nnp.array??\n?np\ny = 'a?'\nz = 7",
        "t = %timeit -o z\nfiles = !ls\n%time w = z + 1\nget_ipython().run_line_magic('pylab', 'inline')",
        "%%time\ndef f(x):\n    return x + w",
        "import asyncio\nawait asyncio.sleep(0)\nasync def g():\n    return 3\nq = await g()\ndisplay(q)",
    )
    assert (names["x"], names["y"], names["z"], names["w"], names["q"]) == (2, "a?", 7, 8, 3)
    assert names["f"](1) == 9 and names["t"] is None and names["files"] == []


def test_code_that_is_python_is_not_rewritten():
    names = names_of('text = """\n%time x\n!ls\nwhat?\n"""\nleft = 7\nrest = (left\n%4)')
    assert names["text"] == "\n%time x\n!ls\nwhat?\n" and names["rest"] == 3


def test_a_future_import_holds_for_the_cells_after_it():
    names = names_of("from __future__ import annotations", "def f(x: Nobody) -> Knows: return x")
    assert names["f"](2) == 2
    assert names["f"].__annotations__ == {"x": "Nobody", "return": "Knows"}


@pytest.mark.parametrize("how", ["tag", "text"])
def test_of_a_cell_that_measures_the_imports_are_kept(how):
    source = "import json, nowhere\nfrom pathlib import Path\nfrom fsdl_course.labs import check\nx = 1 / 0"
    marks = {"tags": [convert.MEASURE]} if how == "tag" else {"given": [source]}
    names = names_of(source, **marks)
    assert names["Path"] and "x" not in names and "check" not in names


def test_very_many_magics_take_no_time():
    source = "%time x\n" * 20_000 + "y = 3"
    begin = time.process_time()
    assert names_of(source)["y"] == 3
    assert time.process_time() - begin < 10  # IPython's own way takes the square: hours


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("### BEGIN SOLUTION\nx", "without '### END"),
        ("x\n### END SOLUTION", "without '### BEGIN"),
        ("### BEGIN SOLUTION\n### BEGIN SOLUTION", "a second"),
    ],
)
def test_regions_that_are_not_closed(source, message):
    with pytest.raises(NotebookError, match=message):
        convert.stub(source)


def test_building_twice_gives_the_same_bytes_and_a_change_is_seen(course):
    build.build("lab00", course)
    assert build.differences("lab00", course) == []
    path = course / "labs" / "lab00" / "lab00.ipynb"
    path.write_text(path.read_text().replace("Exact match", "Exact Match", 1))
    (difference,) = build.differences("lab00", course)
    assert "-" in difference and "Exact Match" in difference and "labs/lab00/lab00.ipynb" in difference


def test_a_lab_that_was_run_by_hand_is_a_sentence(course):
    build.build("lab00", course)
    path = course / "labs" / "lab00" / "lab00.ipynb"
    notebook = json.loads(path.read_text())
    code = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    code["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["iVBORw0KGgo"]}]
    path.write_text(json.dumps(notebook))
    (sentence,) = build.differences("lab00", course)
    assert "labs/lab00/lab00.ipynb was run or saved by hand: 'git checkout" in sentence
    assert sentence.count("\n") == 1 and "iVBORw0KGgo" not in sentence


def test_no_solution_reaches_the_students_folder(course):
    build.build("lab00", course)
    for path in (course / "labs" / "lab00").iterdir():
        text = path.read_text()
        assert "SOLUTION" not in text and "sorted(unsure" not in text and "6,000 wrong bills" not in text


def test_marks_are_what_nbgrader_accepts(course):
    from nbgrader.nbgraderformat import MetadataValidator

    solved, stubbed = convert.both("lab00", course)
    for notebook in (solved, stubbed):
        convert.add_checksums(notebook)
        MetadataValidator().validate_nb(notebook)
    ids = [cell.metadata["nbgrader"]["grade_id"] for cell in stubbed.cells if "nbgrader" in cell.metadata]
    assert len(set(ids)) == len(ids) == 11
    points = [
        cell.metadata["nbgrader"].get("points", 0) for cell in stubbed.cells if "nbgrader" in cell.metadata
    ]
    assert sum(points) == questions.load(course / "solutions" / "lab00").points
    assert [cell.id for cell in solved.cells] == [cell.id for cell in stubbed.cells]


def change(course, old, new, file="lab00.py"):
    path = course / "solutions" / "lab00" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('tags=["q2"]', 'tags=["q9"]', "no question 'q9'"),
        ('check("lab00.q1"', 'check("lab01.q1"', "a cell checks lab01.q1"),
        ("        return 0.0\n", "        return 0.0 + None\n", "exact_match.*the solution: TypeError"),
        (
            "from fsdl_course.labs import case, check",
            "import nothing_like_that\nfrom fsdl_course.labs import case, check",
            "cells fail",
        ),
        ('    return ["99950", "00070"]', '    return ["1", "2"]', "own value is judged wrong"),
    ],
)
def test_a_source_that_cannot_be_right_is_refused(course, old, new, message):
    change(course, old, new)
    with pytest.raises((NotebookError, questions.CasesError), match=message):
        build.build("lab00", course)


def test_the_command_names_the_lab_that_is_wrong(monkeypatch, capsys):
    monkeypatch.setattr(build, "build", lambda name, force: (_ for _ in ()).throw(NotebookError("it is odd")))
    assert cli.main(["labs", "lab00"]) == 1
    assert "lab00: it is odd" in capsys.readouterr().err


@pytest.mark.parametrize("name", LABS)
def test_a_stub_notebook_runs_to_its_first_stub(name):
    _, stubbed = convert.both(name)
    with pytest.raises(NotebookError, match="nothing written yet"):
        execute(stubbed, ROOT / "labs" / name)


@functools.cache
def key(name):
    return answer_key(name)


@pytest.mark.parametrize("name", LABS)
def test_the_solution_earns_every_point_and_the_stub_none(name):
    answers = key(name)
    for folder, points in (("solutions", sum(q.points for q in answers.lab.graded)), ("labs", 0)):
        _, cells = slim(ROOT / folder / name / f"{name}.ipynb")
        result = score(Submission("a", name, "", cells), answers, Unprotected())
        assert result["score"] == points, [
            part for q in result["questions"] for part in q["parts"] if part["problem"]
        ]


@pytest.mark.parametrize("name", LABS)
def test_no_part_is_earned_by_an_answer_that_is_always_the_same(name):
    """Each part has cases whose right answers differ, unless a judge looks at what is special to it."""
    answers = key(name)
    values_of: dict = {}
    for case, value in zip(answers.cases, answers.expected, strict=True):
        values_of.setdefault((case.question, case.part), set()).add(json.dumps(value))
    for (question, part), values in values_of.items():
        asked = answers.lab.question(question)
        if asked.judge is None:
            assert len(values) > 1, f"{name} {question}, {part!r}: {values}"


@pytest.mark.parametrize("name", LABS)
@pytest.mark.parametrize(
    "value", [None, 0, 1.5, True, "", "x", [], [0], {}, {"a": 1}, float("nan")], ids=repr
)
def test_a_judge_survives_any_value_and_earns_nobody_a_question(name, value):
    answers = key(name)
    for question in answers.lab.graded:
        cases = [
            pair
            for pair in zip(answers.cases, answers.expected, strict=True)
            if pair[0].question == question.id
        ]
        assert any(question.wrong(case.arguments, value, expected) for case, expected in cases), question.id
