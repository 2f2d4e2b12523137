"""Results in nbgrader's gradebook, with the notebooks beside it, so that its formgrader shows them.

``write`` fills a folder that is a course of nbgrader's: ``gradebook.db``, ``submitted/``, ``autograded/`` and
a configuration. The points of functions are ours; open answers wait there for a person, and points that the
formgrader was given come back by ``given``. nbgrader executes nothing here.
"""

import copy
import json
import os
import sysconfig
import warnings
from pathlib import Path

from fsdl_course.grading import inert
from fsdl_course.grading.by_hand import GivenByHand
from fsdl_course.grading.submissions import Submission, slug
from fsdl_course.labs import convert
from fsdl_course.notebooks import conversion
from fsdl_deploy.paths import ROOT

CONFIG = '''"""nbgrader's view of these results: `jupyter lab` in this folder, then Nbgrader > Formgrader."""

from fsdl_course.grading import inert

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "fsdl-deploy"
c.CourseDirectory.root = {root!r}
c.CourseDirectory.db_url = {database!r}
c.BlackBox.cases = {cases!r}
inert.configure(c)  # what students wrote, and how their code runs
'''


def given(out: Path) -> dict[tuple[str, str, str], GivenByHand]:
    """What a person gave in the formgrader, by (lab, student's slug, question).

    Points of a graded function are there only where a person overrode what its cases gave.
    """
    if not (out / "gradebook.db").exists():
        return {}
    by_hand = {}
    with open_gradebook(out) as book:
        for submission in _submissions(book):
            student = submission.student.id
            for notebook in submission.notebooks:
                comments = {comment.name: comment.manual_comment or "" for comment in notebook.comments}
                for grade in notebook.grades:
                    answer = grade.name.removesuffix(
                        "-check"
                    )  # a comment stands at the answer, not the check
                    by_hand[submission.name, student, answer.rpartition("-")[2]] = GivenByHand(
                        grade.manual_score,
                        comments.get(answer, "") or comments.get(grade.name, ""),
                        grade.extra_credit or 0.0,
                    )
    return by_hand


def write(
    submissions: list[Submission],
    results: list[dict],
    out: Path,
    cases: Path | None = None,
    root: Path = ROOT,
    earlier: list[dict] = (),
) -> None:
    """Record every result whose lab exists; earlier records of the same submissions are replaced.

    ``cases`` is the folder of private cases, for those who press nbgrader's own autograde there. Of
    ``earlier`` results, whose notebooks are there already, only what a person gave is recorded again.
    """
    labs = convert.names(root)
    places = {"root": str(out.resolve()), "database": database(out)}
    config = CONFIG.format(**places, cases=str(cases.resolve()) if cases else "")
    (out / "nbgrader_config.py").write_text(config, encoding="utf-8")
    from sqlalchemy.exc import SAWarning

    # The warnings are of nbgrader's code.
    with open_gradebook(out) as book, warnings.catch_warnings(action="ignore", category=SAWarning):
        released = {}
        for name in sorted({result["lab"] for result in results if result["lab"] in labs}):
            solved, released[name] = convert.both(name, root)
            for notebook in (solved, released[name]):
                convert.add_checksums(notebook)
            _write_notebook(out / "source" / name / f"{name}.ipynb", solved)
            _write_notebook(out / "release" / name / f"{name}.ipynb", released[name])
            _register(book, name, released[name])
        for submission, result in zip(submissions, results, strict=True):
            if result["lab"] in released:
                _record(book, submission, result, released[result["lab"]], out)
        recorded = {(submission.name, submission.student.id) for submission in _submissions(book)}
        for result in earlier:
            if (result["lab"], slug(result["student"])) in recorded:
                _record_points(book, result)
        book.db.commit()


def _submissions(book) -> list:
    return [submission for lab in book.assignments for submission in lab.submissions]


def database(out: Path) -> str:
    """The gradebook's URL: a path may hold letters that mean something in a URL, such as ``%`` and ``?``."""
    from sqlalchemy import URL

    file = str((out / "gradebook.db").resolve())
    return URL.create("sqlite", database=file).render_as_string()


def open_gradebook(out: Path):
    """nbgrader's ``Gradebook`` in the folder of results; it is made if it is not there."""
    from nbgrader.api import Gradebook

    # A new database is made by the program alembic, which nbgrader looks for on PATH.
    programs, path = sysconfig.get_path("scripts"), os.environ.get("PATH", "")
    if programs not in path.split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([programs, path])
    return Gradebook(database(out), "fsdl-deploy")


def _register(book, name: str, released) -> None:
    """Make the assignment, and its cells as nbgrader counts them."""
    book.update_or_create_assignment(name)
    book.update_or_create_notebook(name, name, kernelspec=json.dumps(released.metadata.get("kernelspec", {})))
    for cell in released.cells:
        marks = cell.metadata.get("nbgrader")
        if marks is None:
            continue
        place = (marks["grade_id"], name, name)
        if marks["grade"]:
            book.update_or_create_grade_cell(
                *place, max_score=float(marks["points"]), cell_type=cell.cell_type
            )
        if marks["solution"]:
            book.update_or_create_solution_cell(*place)
        book.update_or_create_source_cell(
            *place,
            cell_type=cell.cell_type,
            locked=marks["locked"],
            source=cell.source,
            checksum=marks["checksum"],
        )


def _record(book, submission: Submission, result: dict, released, out: Path) -> None:
    """One submission: its notebooks and its grades."""
    name, student = result["lab"], slug(result["student"])
    first, _, last = inert.name(result["student"]).rpartition(" ")
    book.update_or_create_student(student, first_name=first, last_name=last, email=None)
    book.update_or_create_submission(name, student)
    handed_in = notebook_of(submission, released)
    _write_notebook(out / "submitted" / student / name / f"{name}.ipynb", handed_in)
    _write_notebook(out / "autograded" / student / name / f"{name}.ipynb", with_feedback(handed_in, result))
    _record_points(book, result)


def _record_points(book, result: dict) -> None:
    """The points of functions, and what a person gave to open answers, as ``by_hand`` has agreed on it."""
    name, student = result["lab"], slug(result["student"])
    for question in result["questions"]:
        grade = book.find_grade(f"{name}-{question['id']}-check", name, name, student)
        grade.auto_score, grade.needs_manual_grade = float(question["points"]), False
    for answer in result["open"]:
        place = (f"{name}-{answer['id']}", name, name, student)
        grade, comment = book.find_grade(*place), book.find_comment(*place)
        grade.auto_score = None if answer["answer"] else 0.0
        grade.manual_score, grade.extra_credit = answer.get("by_hand"), answer.get("extra") or None
        grade.needs_manual_grade = grade.manual_score is None and bool(answer["answer"])
        comment.manual_comment = answer.get("comment") or None


def notebook_of(submission: Submission, released):
    """A submission's cells with nbgrader's marks as released; marked cells that are gone come back."""
    import nbformat

    marked = {
        cell.metadata["nbgrader"]["grade_id"]: cell for cell in released.cells if "nbgrader" in cell.metadata
    }
    notebook = nbformat.v4.new_notebook(metadata=copy.deepcopy(released.metadata))
    notebook.nbformat_minor = 5
    for number, given in enumerate(submission.cells):
        make = nbformat.v4.new_code_cell if given["cell_type"] == "code" else nbformat.v4.new_markdown_cell
        cell = make(inert.raw(given["source"]) if given["cell_type"] == "raw" else given["source"])
        original = marked.pop(given["metadata"]["nbgrader"]["grade_id"], None)
        cell.id = f"cell-{number}"
        if original is not None and original.cell_type == cell.cell_type:
            cell.metadata["nbgrader"] = copy.deepcopy(original.metadata["nbgrader"])
            cell.id = original.id
        notebook.cells.append(cell)
    for original in marked.values():
        cell = copy.deepcopy(original)
        if cell.cell_type == "markdown":
            cell.source = ""
        notebook.cells.append(cell)
    ids = [cell.id for cell in notebook.cells]
    for number, cell in enumerate(notebook.cells):
        if cell.id in ids[:number]:
            cell.id = f"again-{number}"
    return notebook


def with_feedback(notebook, result: dict):
    """The notebook with each question's points and feedback as the output of the cell that checks it."""
    import nbformat

    graded = copy.deepcopy(notebook)
    inert.without_outputs(graded)
    by_cell = {f"{result['lab']}-{question['id']}-check": question for question in result["questions"]}
    for cell in graded.cells:
        if question := by_cell.get(cell.metadata.get("nbgrader", {}).get("grade_id")):
            lines = [
                f"{'no' if part['problem'] else 'ok'}  {part['name']}: {part['points']} of {part['max']}"
                + "".join(f"\n      {part[key]}" for key in ("call", "problem") if part[key])
                for part in question["parts"]
            ]
            # nbgrader takes a number that a cell returns as its points.
            cell.outputs = [
                nbformat.v4.new_output("stream", name="stdout", text="\n".join(lines) + "\n"),
                nbformat.v4.new_output(
                    "execute_result", data={"text/plain": str(question["points"])}, execution_count=1
                ),
            ]
            cell.execution_count = 1
    return graded


def _write_notebook(path: Path, notebook) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(conversion.write(notebook), encoding="utf-8")
