"""``fsdl-course progress``: where do I stand, and what comes next

Looks at the copies in ``work/`` and runs nothing: which cells were run there, which exercises have an
answer of their own, and what ``check`` printed when its cell was last run. An answer that was changed
after that is only known to the next run of the cell.
"""

import argparse
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path

from fsdl_course.workspace import answers, copies
from fsdl_course.workspace.copies import WORK
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.paths import ROOT

LINK = re.compile(r"\]\(([^)\s#]+\.ipynb)[^)]*\)")
STATION = "station:"
RIGHT, WRONG, UNCHECKED = "right", "not right yet", "not checked"


@dataclass(frozen=True)
class Exercise:
    """One answer of a lab: whether there is one, and how its check came out; prose has no check."""

    name: str
    answered: bool
    outcome: str = ""

    @property
    def complete(self) -> bool:
        return self.answered and self.outcome in ("", RIGHT)


@dataclass(frozen=True)
class Standing:
    """How far a notebook's copy is: its cells of code that were run, and in a lab its exercises."""

    name: str
    run: int
    cells: int
    exercises: tuple[Exercise, ...] = ()
    damaged: bool = False

    @property
    def begun(self) -> bool:
        return bool(self.run or any(exercise.answered for exercise in self.exercises))

    @property
    def complete(self) -> bool:
        """A lesson whose cells all ran, but for those that need a station; a lab whose answers all are "
        "right."""
        if self.exercises:
            return all(exercise.complete for exercise in self.exercises)
        return self.run >= self.cells > 0

    def sentence(self) -> str:
        """How far it is, in words."""
        if self.damaged:
            return "is no notebook any more"
        if not self.begun:
            return "not begun"
        if not self.exercises:
            return "run to the end" if self.complete else f"{self.run} of {self.cells} cells run"
        answered = sum(exercise.answered for exercise in self.exercises)
        right = sum(exercise.outcome == RIGHT for exercise in self.exercises)
        checked = sum(bool(exercise.outcome) for exercise in self.exercises)
        return f"{answered} of {len(self.exercises)} answered; check said right for {right} of {checked}"

    def open(self) -> list[str]:
        """Exercises that are not right yet, each with what is missing."""
        missing = [exercise for exercise in self.exercises if not exercise.complete]
        return [f"{e.name} ({e.outcome if e.answered else 'no answer'})" for e in missing]


def standing(name: str, root: Path = ROOT) -> Standing:
    """How far the copy of the course's notebook ``name`` is; what is not there was not begun."""
    original = copies.read(root / name)
    path = root / WORK / name
    try:
        present = copies.read(path) if path.is_file() else original
    except ValueError:
        return Standing(name, 0, 0, damaged=True)
    kept = {answers.identity(cell) for cell in original["cells"] if cell.get("execution_count") is not None}
    needed = [
        cell for cell in present["cells"] if _asks_to_be_run(cell) and answers.identity(cell) not in kept
    ]
    run = sum(cell.get("execution_count") is not None for cell in needed)
    return Standing(name, run, len(needed), tuple(_exercises(present, original)))


def _asks_to_be_run(cell: dict) -> bool:
    """Code that needs no station, and of which the course brings no output."""
    tags = cell.get("metadata", {}).get("tags") or ()
    code = cell["cell_type"] == "code" and answers.text(cell).strip()
    return bool(code) and not any(tag.startswith(STATION) for tag in tags)


def _exercises(present: dict, original: dict):
    start = {answers.identity(cell): answers.text(cell) for cell in original["cells"]}
    cells = {answers.identity(cell): cell for cell in present["cells"]}
    for cell in original["cells"]:
        if not answers.is_answer(cell):
            continue
        key = answers.identity(cell)
        own = cells.get(key, cell)
        written = answers.text(own).strip()
        answered = bool(written) and written != start[key].strip()
        outcome = ""
        if cell["cell_type"] == "code":
            outcome = check_outcome(cells.get(f"{key}-check"), own) if answered else UNCHECKED
        yield Exercise(key, answered, outcome)


def check_outcome(check: dict | None, answer: dict) -> str:
    """What a check's cell shows of the answer's last run: right, not right yet, or not checked."""
    ran, before = (check or {}).get("execution_count"), answer.get("execution_count")
    lines = _output(check or {}).splitlines()
    marks = [line.split()[0] for line in lines if re.match(r"  (ok|no)  \S", line)]
    if ran is None or not marks or (before is not None and before > ran):
        return UNCHECKED
    return WRONG if "no" in marks else RIGHT


def _output(cell: dict) -> str:
    """What a cell printed or displayed, as text."""
    pieces = []
    for output in cell.get("outputs") or ():
        plain = output.get("text") or (output.get("data") or {}).get("text/plain") or ""
        pieces.append(copies.joined(plain) if plain else "")
    return "\n".join(pieces)


def way(root: Path = ROOT) -> list[str]:
    """Lessons in their order, each followed by the labs that ask for it."""
    names = copies.originals(root)
    labs = [name for name in names if name.startswith("labs/")]
    after = {lab: _prerequisites(lab, root) for lab in labs}
    ordered: list[str] = []
    for lesson in (name for name in names if name.startswith("notebooks/") and name.count("/") == 1):
        ordered.append(lesson)
        ordered += [lab for lab in labs if lab not in ordered and after[lab] and after[lab] <= {*ordered}]
    return ordered + [lab for lab in labs if lab not in ordered]


def _prerequisites(name: str, root: Path) -> set[str]:
    """The notebooks that the first cell links."""
    first = answers.text(copies.read(root / name)["cells"][0])
    folder = posixpath.dirname(name)
    return {posixpath.normpath(posixpath.join(folder, target)) for target in LINK.findall(first)}


def report(root: Path = ROOT) -> list[str]:
    """What ``fsdl-course progress`` prints, line by line."""
    if not (root / WORK).is_dir():
        return [f"There is no {WORK}/ yet: 'make lab' makes it, and opens the first lesson."]
    stands = [standing(name, root) for name in way(root)]
    tools = [name for name in copies.originals(root) if name.startswith("notebooks/tools/")]
    begun = [stand for name in tools if (stand := standing(name, root)).begun or stand.damaged]
    lines = str(Table(["notebook", "where it stands"], *_rows([*stands, *begun]))).splitlines()
    complete = sum(stand.complete for stand in stands)
    lines.append(f"Complete: {complete} of {len(stands)} lessons and labs.")
    lines.append(f"Tools begun: {len(begun)} of {len(tools)}.")
    lines.append(_next(stands))
    return lines


def _rows(stands: list[Standing]) -> list[list[str]]:
    return [[copies.short(stand.name), stand.sentence()] for stand in stands]


def _next(stands: list[Standing]) -> str:
    """What to do now: go on with what was begun last, else begin what comes first."""
    if damaged := [stand for stand in stands if stand.damaged]:
        return f"Next: 'fsdl-course reset {copies.short(damaged[0].name)}' gives that notebook back."
    if not (left := [stand for stand in stands if not stand.complete]):
        return "All of it is complete. The tool notebooks go further: notebooks/tools."
    begun = [stand for stand in left if stand.begun]
    stand = begun[0] if begun else left[0]
    rest = f": {', '.join(stand.open())}" if stand.begun and stand.exercises else ""
    return f"Next: {'go on with' if stand.begun else 'open'} {WORK}/{stand.name}{rest}."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``fsdl-course progress``."""
    parser.add_argument(
        "--root", type=Path, metavar="FOLDER", default=ROOT, help="the course's folder (default: this one)"
    )


def main(args: argparse.Namespace) -> int:
    """Print where the copies in work/ stand."""
    print("\n".join(report(args.root.resolve())))
    return 0
