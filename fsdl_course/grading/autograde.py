"""nbgrader's ``autograde`` with our grader in place of its own: it executes no student code in a kernel.

``nbgrader_config.py`` puts ``BlackBox`` where nbgrader would run the notebook: functions are called in the
sandbox, and each question's points become the output of the cell that checks it, which nbgrader then records.
"""

import functools
from pathlib import Path

from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool, Unicode

from fsdl_course.grading import gradebook
from fsdl_course.grading.answer_key import AnswerKey, answer_key
from fsdl_course.grading.notebook_file import slim_cell
from fsdl_course.grading.scoring import score
from fsdl_course.grading.submissions import Submission
from fsdl_course.labs import isolation
from fsdl_course.labs.backends.backend import Backend


class BlackBox(NbGraderPreprocessor):
    """Grades one notebook in the sandbox; SandboxError where there is no isolation."""

    cases = Unicode("", help="Folder of private cases, made by `fsdl-course cases`.").tag(config=True)
    trusted = Bool(False, help="Run student code without isolation; only code that you trust.").tag(
        config=True
    )

    def preprocess(self, nb, resources):
        """The notebook with each question's points and feedback as outputs."""
        lab, student = resources["nbgrader"]["assignment"], resources["nbgrader"]["student"]
        cells = [slim_cell(cell) for cell in nb.cells]
        submission = Submission(student, lab, f"{student}/{lab}", cells)
        result = score(submission, _key(lab, self.cases), _backend(self.trusted))
        return gradebook.with_feedback(nb, result), resources


@functools.cache
def _key(lab: str, cases: str) -> AnswerKey:
    return answer_key(lab, Path(cases) if cases else None)


@functools.cache
def _backend(trusted: bool) -> Backend:
    return isolation.open_backend(trusted)
