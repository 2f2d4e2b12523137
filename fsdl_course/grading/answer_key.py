"""The key of a lab: everything that an answer is held against.

Public cases come first, then private ones; what should come out of each is what the lab's own solution
returns.
"""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from fsdl_course.labs import convert, questions
from fsdl_deploy.paths import ROOT

SEED = "the course's own"  # of the private cases where an instructor gives none: anyone can draw them too


@dataclass(frozen=True)
class AnswerKey:
    """A lab with its cases and the solution's values; ``digest`` changes with whatever decides a score."""

    name: str
    lab: questions.Lab
    cases: list[questions.Case]
    expected: list
    digest: str
    given: frozenset[str] = frozenset()  # the text of cells that the grader does not run
    before_open: dict[str, str] = field(default_factory=dict)  # open question -> the text before its answer


def answer_key(name: str, cases_folder: Path | None = None, root: Path = ROOT) -> AnswerKey:
    """The key of a lab, with private cases from ``cases_folder/NAME.json`` if it is given.

    CasesError or NotebookError if it cannot be made.
    """
    lab = questions.load(root / "solutions" / name)
    if cases_folder is None:
        private = questions.drawn_cases(lab, SEED)
    else:
        private = questions.read_cases(cases_folder / f"{name}.json", lab)
    # Public ones come first: until the last of them is done, no private argument is in the sandbox.
    cases = questions.public_cases(lab) + private
    solved, released = convert.both(name, root)
    expected = convert.solution_values(name, cases, root, solved)
    content = [[(c.question, c.part, c.arguments) for c in cases], expected]
    digest = hashlib.sha256(json.dumps(content).encode())
    scoring = [Path(__file__), *map(Path(__file__).with_name, ("scoring.py", "parts.py"))]
    for file in [*sorted(Path(convert.__file__).parent.rglob("*.py")), *scoring]:
        digest.update(file.read_bytes())
    digest.update((root / "solutions" / name / "questions.py").read_bytes())
    before_open = convert.text_before_open(released)
    return AnswerKey(
        name, lab, cases, expected, digest.hexdigest(), convert.known_text(released), before_open
    )
