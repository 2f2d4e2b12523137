"""What every lab of the course keeps to, as rules that a script checks.

The header's minutes are the sum of the exercises'; each exercise has its stars, three hints, an answer cell
and a check; one is answered in prose, one breaks something, something is predicted before it is measured.
Each rule yields sentences that say what to do. Nothing is executed.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fsdl_course.labs import convert
from fsdl_course.labs.inside.program import MODULES
from fsdl_course.labs.questions import Lab, OpenQuestion, load
from fsdl_course.notebooks import rules_code, rules_figures, rules_portable
from fsdl_deploy.paths import ROOT

HEADER = re.compile(r"^\*\*Minutes:\*\* (\d+) · \*\*Prerequisites:\*\* \[.+\]\((.+)\)$", re.MULTILINE)
EXERCISE = re.compile(
    r"^## Exercise (\d): .+? (★{1,3}) \((\d+) minutes(, graded by a person)?\)$", re.MULTILINE
)
HINT = re.compile(r"<details><summary>Hint: .+?</summary>.+?</details>", re.DOTALL)


@dataclass(frozen=True)
class LabText:
    """A lab as the rules see it: the cells with solutions, and what is asked."""

    name: str
    root: Path
    cells: list
    lab: Lab

    def exercises(self) -> list[tuple[re.Match, list]]:
        """The heading of each exercise and the cells from there to the next one."""
        starts = [
            (number, heading)
            for number, cell in enumerate(self.cells)
            if cell.cell_type == "markdown" and (heading := EXERCISE.search(cell.source))
        ]
        ends = [number for number, _ in starts[1:]] + [len(self.cells)]
        return [(heading, self.cells[start:end]) for (start, heading), end in zip(starts, ends, strict=True)]


def problems(name: str, root: Path = ROOT) -> list[str]:
    """Every breach of the contract in one lab, as sentences."""
    solved, _ = convert.both(name, root)
    text = LabText(name, root, solved.cells, load(root / "solutions" / name))
    return [f"{name}: {message}" for rule in RULES for message in rule(text)]


def header(text: LabText) -> Iterator[str]:
    first = text.cells[0].source if text.cells else ""
    if not re.match(rf"# Lab {text.name[-2:]}: \S", first):
        yield f"the first line is '# Lab {text.name[-2:]}: …'"
    numbers = HEADER.search(first)
    if numbers is None:
        yield "below the title stands '**Minutes:** 50 · **Prerequisites:** [lesson](../../notebooks/…)'"
        return
    minutes = sum(int(heading[3]) for heading, _ in text.exercises())
    if minutes != int(numbers[1]):
        yield f"the header says {numbers[1]} minutes, the exercises add up to {minutes}"
    if not (text.root / "labs" / text.name / numbers[2]).resolve().exists():
        yield f"the prerequisite {numbers[2]} does not exist"


def exercises(text: LabText) -> Iterator[str]:
    headings = [heading for heading, _ in text.exercises()]
    if not 4 <= len(headings) <= 8:
        yield f"a lab has 4 to 8 exercises ('## Exercise 1: Title ★ (5 minutes)'), not {len(headings)}"
    if [heading[1] for heading in headings] != [str(n) for n in range(1, len(headings) + 1)]:
        yield "the exercises are numbered 1, 2, 3, … in order"
    if [f"q{heading[1]}" for heading in headings] != [question.id for question in text.lab.questions]:
        yield "questions.py asks the same questions in the same order"
        return
    for heading, question in zip(headings, text.lab.questions, strict=True):
        if (len(heading[2]), int(heading[3])) != (question.level, question.minutes):
            yield f"{question.id}: stars and minutes differ between the text and questions.py"
        if bool(heading[4]) != isinstance(question, OpenQuestion):
            yield f"{question.id}: ', graded by a person' stands in the heading of open questions only"
    if {len(heading[2]) for heading in headings} != {1, 2, 3}:
        yield "there is an exercise of each level, ★ to ★★★"
    if not any("break it" in heading[0].lower() for heading in headings):
        yield "one exercise is called 'Break it'"
    if len(text.lab.open) != 1:
        yield f"one question is answered in prose and graded by a person, not {len(text.lab.open)}"


def answers(text: LabText) -> Iterator[str]:
    for heading, cells in text.exercises():
        question = next((q for q in text.lab.questions if q.id == f"q{heading[1]}"), None)
        if question is None:
            continue
        own = [cell for cell in cells if convert.question_of(cell) == question.id]
        if len(own) != 1:
            yield f"{question.id}: one cell is tagged {question.id}, not {len(own)}"
        elif isinstance(question, OpenQuestion):
            if own[0].cell_type != "markdown":
                yield f"{question.id}: an open question is answered in a markdown cell"
        else:
            yield from _answer(text.name, question, own[0], cells)


def _answer(name: str, question, own, cells: list) -> Iterator[str]:
    if not re.search(rf"^def {question.function}\(", own.source, re.MULTILINE):
        yield f"{question.id}: its cell defines {question.function}"
    if convert.BEGIN not in own.source:
        yield f"{question.id}: the solution stands between BEGIN and END SOLUTION"
    check_call = f'check("{name}.{question.id}", {question.function})'
    if not any(cell.cell_type == "code" and cell.source.strip() == check_call for cell in cells):
        yield f"{question.id}: a cell holds {check_call} and nothing else"
    hints = HINT.findall("\n".join(cell.source for cell in cells if cell.cell_type == "markdown"))
    if len(hints) != 3:
        yield f"{question.id}: three hints unfold (a nudge, the approach, a sketch), not {len(hints)}"


def predicts(text: LabText) -> Iterator[str]:
    code = "\n".join(cell.source for cell in text.cells if cell.cell_type == "code")
    if "predict(" not in code or "reveal(" not in code or "# SOLUTION:" not in code:
        yield "something is predicted before it is measured: a line with SOLUTION, predict() and reveal()"


def signs(text: LabText) -> Iterator[str]:
    for number, cell in enumerate(text.cells, start=1):
        if cell.cell_type == "markdown" and (sign := rules_portable.EMOJI.search(cell.source)):
            yield f"cell {number}: the sign {sign[0]!a} is a box where no emoji font is: use words, or ★ ✓ ✗"


def figures(text: LabText) -> Iterator[str]:
    for number, cell in enumerate(text.cells, start=1):
        if cell.cell_type == "markdown":
            for message in rules_figures.bare(cell.source):
                yield f"cell {number}: {message}"


def code(text: LabText) -> Iterator[str]:
    for number, cell in enumerate(text.cells):
        if cell.cell_type != "code":
            continue
        place = f"cell {number + 1}"
        before = text.cells[number - 1] if number else None
        if before is None or before.cell_type != "markdown" or not before.source.strip():
            yield f"{place}: before each code cell stands prose that says why it comes"
        for message in rules_code.problems(convert.stub(cell.source)):  # what a student meets
            yield f"{place}: {message}"
        if convert.MEASURE not in cell.metadata.get("tags", ()):
            for module in _imported(cell.source) - {"fsdl_course.labs", *MODULES}:
                if module.split(".")[0] in ("fsdl_deploy", "fsdl_course"):
                    yield f"{place}: it imports {module}, which the grader has not: tag it 'measure'"


def _imported(source: str) -> set[str]:
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return set()
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return names | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def rubric(text: LabText) -> Iterator[str]:
    for question in text.lab.open:
        if len(question.rubric) < 3 or 0 not in question.rubric:
            yield f"{question.id}: the rubric says what earns 0 points and at least two more levels"


def points(text: LabText) -> Iterator[str]:
    for question in text.lab.graded:
        if question.judge is None and not any(not part.public for part in question.parts):
            yield f"{question.id}: one part is private (draw=…), so that the public cases cannot be learned"


def listed_in_readme(text: LabText) -> Iterator[str]:
    readme = text.root / "README.md"
    first = text.cells[0].source if text.cells else ""
    title, minutes = re.match(r"# Lab \d\d: (.+)", first), HEADER.search(first)
    if readme.exists() and title and minutes:
        link = f"[{text.name[-2:]} {title[1]}](labs/{text.name}/{text.name}.ipynb)"
        row = rf"^\| {re.escape(link)} \| .+ \| {minutes[1]} \|$"
        if not re.search(row, readme.read_text(encoding="utf-8"), re.MULTILINE):
            yield f"the README's table of labs has no row '| {link} | … | {minutes[1]} |'"


RULES = (header, exercises, answers, predicts, signs, figures, code, rubric, points, listed_in_readme)
