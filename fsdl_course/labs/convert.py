"""``make labs``: from ``solutions/labNN/labNN.py`` to the notebooks of instructor and student.

One source, in the percent format, makes ``solutions/labNN/labNN.ipynb`` (with the solutions) and
``labs/labNN/labNN.ipynb`` (with stubs that raise NotImplementedError), both with nbgrader's marks, and beside
the latter the questions and what the solution returns for the public cases. The same source gives the same
bytes. Knows nothing of how a lab should be written (that is ``rules``).
"""

import copy
import itertools
import json
import re
from collections.abc import Collection
from pathlib import Path

from fsdl_course.labs import questions
from fsdl_course.notebooks import edits
from fsdl_course.notebooks.conversion import cell_ids, read_source, write
from fsdl_course.notebooks.percent import NotebookError
from fsdl_deploy.paths import ROOT

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
IN_LINE = re.compile(r"^(\s*).*#\s*SOLUTION:\s*(.*)$")
STUB = "raise NotImplementedError  # your code here"
OPEN_STUB = "*Your answer here.*"
CHECK = re.compile(r'^check\("(lab\d\d)\.(q\d)", \w+\)$', re.MULTILINE)
MAGIC = re.compile(r"^([ \t]*)([%!?].*|[\w.]+\?{1,2}[ \t]*)$", re.MULTILINE)  # what only IPython understands
MAGIC_LINE = re.compile(r"^[ \t]*[%!?]|\?[ \t]*$|=[ \t]*[%!]", re.MULTILINE)
MOST_MAGICS, LONGEST_WITH_MAGICS = 50, 50_000  # IPython's own transformation takes the product of both
MEASURE = "measure"  # the tag of cells that the grader does not run: they measure, draw, or start servers


def names(root: Path = ROOT) -> list[str]:
    """The labs that there are: lab00, lab01, …"""
    return sorted(path.parent.name for path in (root / "solutions").glob("lab[0-9][0-9]/questions.py"))


def source_of(name: str, root: Path = ROOT) -> Path:
    return root / "solutions" / name / f"{name}.py"


def both(name: str, root: Path = ROOT):
    """The lab's two notebooks: (with solutions, with stubs). NotebookError says what is wrong."""
    lab = questions.load(root / "solutions" / name)
    solved = read_source(source_of(name, root), f"labs/{name}", root)
    solved.metadata["fsdl_lab"] = name
    stubbed = copy.deepcopy(solved)
    for cell in stubbed.cells:
        if cell.cell_type == "code":
            cell.source = stub(cell.source)
        elif question_of(cell):
            cell.source = OPEN_STUB
    for cell, cell_id in zip(stubbed.cells, cell_ids(stubbed.cells, f"labs/{name}"), strict=True):
        cell.id = cell_id
    for with_solution, without in zip(solved.cells, stubbed.cells, strict=True):
        with_solution.id = without.id
        for cell in (with_solution, without):
            if marks := nbgrader_marks(cell, name, lab):
                cell.id = marks["grade_id"]
                cell.metadata["nbgrader"] = marks
    return solved, stubbed


def stub(source: str) -> str:
    """A cell's code without its solutions: regions become NotImplementedError, marked lines their stub."""
    lines, inside = [], False
    for line in source.split("\n"):
        if line.strip() == BEGIN:
            if inside:
                raise NotebookError(f"a second '{BEGIN}' before '{END}'")
            inside = True
            lines.append(line[: len(line) - len(line.lstrip())] + STUB)
        elif line.strip() == END:
            if not inside:
                raise NotebookError(f"'{END}' without '{BEGIN}'")
            inside = False
        elif not inside:
            marked = IN_LINE.match(line)
            lines.append(marked[1] + marked[2] if marked else line)
    if inside:
        raise NotebookError(f"'{BEGIN}' without '{END}'")
    return "\n".join(lines)


def question_of(cell) -> str:
    """The question that a cell answers, by its tag: "q2"; "" for any other cell."""
    return next((tag for tag in cell.metadata.get("tags", ()) if re.fullmatch(r"q\d", tag)), "")


def nbgrader_marks(cell, name: str, lab: questions.Lab) -> dict | None:
    """nbgrader's metadata for a cell that answers a question or checks one, else None."""
    marks = {"schema_version": 3, "task": False, "locked": False, "solution": True, "grade": False}
    if question := question_of(cell):
        lab.question(question)  # or CasesError
        marks["grade_id"] = f"{name}-{question}"
        if cell.cell_type == "markdown":
            marks.update(grade=True, points=lab.question(question).points)
        return marks
    check = CHECK.search(cell.source) if cell.cell_type == "code" else None
    if check and check[1] != name:
        raise NotebookError(f"{name}: a cell checks {check[1]}.{check[2]}")
    if check:
        points = lab.question(check[2]).points
        return {
            **marks,
            **{"grade_id": f"{name}-{check[2]}-check", "grade": True, "points": points},
            **{"solution": False, "locked": True},
        }
    return None


def gradable(cells, given: Collection[str] = ()) -> list[dict]:
    """The code that the grader runs, cell by cell; of what measures or checks, only what it imports.

    Such a cell is known by its tag or mark, or by its text, which is one of ``given``: editors drop tags.
    Code that is Python as it stands is never rewritten; ``instead`` is for a cell that needs IPython.
    """
    kept = []
    for cell in cells:
        if cell.cell_type == "code":
            marked = _measures_or_checks(cell)
            known = cell.source.strip() in given and not cell.metadata.get("answers")
            only = {"imports_only": True} if marked or known else {"instead": _as_calls(cell.source)}
            kept.append({"source": cell.source, **only})
    return kept


def _as_calls(source: str) -> str:
    """A cell with IPython's syntax as calls, as IPython writes it; beyond the bounds, without the magics."""
    lines = MAGIC_LINE.findall(source)
    if not lines:
        return source
    if len(lines) > MOST_MAGICS or len(source) > LONGEST_WITH_MAGICS:
        return MAGIC.sub(r"\1pass", source)
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        return TransformerManager().transform_cell(source)
    except (SyntaxError, RecursionError, ValueError, IndexError):
        return MAGIC.sub(r"\1pass", source)


def known_text(released) -> frozenset[str]:
    """The text of the cells of a released lab that the grader does not run: they measure, or check."""
    cells = [cell for cell in released.cells if cell.cell_type == "code"]
    return frozenset(cell.source.strip() for cell in cells if _measures_or_checks(cell))


def text_before_open(released) -> dict[str, str]:
    """Open question -> the text of the cell before its answer, in a released lab."""
    return {
        question: before.source.strip()
        for before, cell in itertools.pairwise(released.cells)
        if cell.cell_type == "markdown" and (question := question_of(cell))
    }


def _measures_or_checks(cell) -> bool:
    marks = cell.metadata.get("nbgrader", {})
    return MEASURE in cell.metadata.get("tags", ()) or bool(marks.get("grade"))


def solution_values(name: str, cases: list[questions.Case], root: Path = ROOT, solved=None) -> list:
    """What the lab's solution returns for each case; NotebookError if it has no value for one.

    ``solved`` is the first of ``both``, if it is there already. The solution is the course's own code, so it
    runs without a sandbox.
    """
    from fsdl_course.labs.backends.unprotected import Unprotected  # for Unix alone, unlike the rest
    from fsdl_course.labs.sandbox import Sandbox

    lab = questions.load(root / "solutions" / name)
    solved = solved or both(name, root)[0]
    values = []
    with Sandbox(gradable(solved.cells), Unprotected(), lab.preload) as sandbox:
        if sandbox.errors:
            raise NotebookError(f"{name}: the solution's cells fail: {sandbox.errors}")
        for case in cases:
            question = lab.question(case.question)
            result = sandbox.call(question.function, case.arguments, question.seconds, question.around)
            if result.error:
                raise NotebookError(
                    f"{name}: {question.function}{tuple(case.arguments)} of the solution: {result.error}"
                )
            if problem := question.wrong(case.arguments, result.value, result.value):
                place = f"{name}: {question.id}{tuple(case.arguments)}"
                raise NotebookError(f"{place}: the solution's own value is judged wrong: {problem}")
            values.append(result.value)
    return values


def files(name: str, root: Path = ROOT) -> dict[Path, str]:
    """Every file that the source of a lab makes, with its text."""
    lab = questions.load(root / "solutions" / name)
    solved, stubbed = both(name, root)
    public = questions.public_cases(lab)
    expected: dict[str, dict[str, list]] = {}
    for case, value in zip(public, solution_values(name, public, root, solved), strict=True):
        expected.setdefault(case.question, {}).setdefault(case.part, []).append(value)
    for notebook in (solved, stubbed):
        add_checksums(notebook)
        edits.stamp(notebook)
    folder = root / "labs" / name
    questions_text = (root / "solutions" / name / "questions.py").read_text(encoding="utf-8")
    return {
        root / "solutions" / name / f"{name}.ipynb": write(solved),
        folder / f"{name}.ipynb": write(stubbed),
        folder / "questions.py": questions_text,
        folder / "expected.json": json.dumps(expected, indent=1) + "\n",
    }


def add_checksums(notebook) -> None:
    """nbgrader's checksums: by them it knows a cell that a student has not touched."""
    from nbgrader.utils import compute_checksum

    for cell in notebook.cells:
        if "nbgrader" in cell.metadata:
            cell.metadata["nbgrader"]["cell_type"] = cell.cell_type
            cell.metadata["nbgrader"]["checksum"] = compute_checksum(cell)
