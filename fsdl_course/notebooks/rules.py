"""What every notebook of the course keeps to, as rules that a script checks.

The frame (``rules_frame``) makes lessons predictable for the reader; the rules here keep them
readable and true everywhere: prose before code, no stray outputs, links that lead somewhere; those in
``rules_code`` and ``rules_portable`` keep cells small and free of paths, ports, sleeps, installs; those in
``rules_figures`` keep measured figures out of prose, unless they come from a record; ``listing`` reads the
tables in which each has a row.
Each rule yields ``(number of the cell or None, a sentence that says what to do)``. Nothing is executed.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from fsdl_course.notebooks import (
    colab,
    conversion,
    listing,
    minutes,
    needs,
    rules_code,
    rules_figures,
    rules_frame,
    rules_portable,
)
from fsdl_course.notebooks.lesson import Lesson, without_fences
from fsdl_course.notebooks.outputs import COMPARED
from fsdl_course.notebooks.percent import NotebookError
from fsdl_course.notebooks.rules_frame import Breaches
from fsdl_deploy.paths import ROOT

TAGS = ("parameters", colab.TAG, COMPARED, "nbval-ignore-output", "nbval-skip", "raises-exception")


@dataclass(frozen=True)
class Breach:
    """One breach of the contract: where, which rule, and what to do."""

    notebook: str
    cell: int | None
    rule: str
    message: str

    def __str__(self) -> str:
        where = self.notebook if self.cell is None else f"{self.notebook}, cell {self.cell}"
        return f"{where}: {self.message} [{self.rule}]"


def check(path: Path, root: Path) -> list[Breach]:
    """Every breach of the contract in the notebook at ``path``, in the order of the rules."""
    try:
        lesson = Lesson(path, root, conversion.read(path).cells)
    except NotebookError as error:
        return [Breach(path.relative_to(root).as_posix(), None, "notebook", str(error))]
    return [
        Breach(lesson.name, cell, rule.__name__.replace("_", " "), message)
        for rule in RULES
        for cell, message in rule(lesson)
    ]


def prose_before_code(lesson: Lesson) -> Breaches:
    for number, _ in lesson.code():
        before = lesson.cells[number - 2] if number > 1 else None
        if before is None or before.cell_type != "markdown" or not before.source.strip():
            yield number, "before each code cell stands a prose cell that says why it comes"


def cell_kinds(lesson: Lesson) -> Breaches:
    for number, cell in enumerate(lesson.cells, 1):
        if cell.cell_type not in ("markdown", "code"):
            yield number, f"a cell is prose or code, not {cell.cell_type}"
        elif not cell.source.strip():
            yield number, "the cell is empty: remove it"


def unfinished(lesson: Lesson) -> Breaches:
    for number, cell in enumerate(lesson.cells, 1):
        if re.search(r"\b(TODO|FIXME|XXX)\b", cell.source):
            yield number, "a TODO is left: finish it"


def ids(lesson: Lesson) -> Breaches:
    seen = set()
    for number, cell in enumerate(lesson.cells, 1):
        if cell.get("id") in seen or not cell.get("id"):
            yield number, f"the id {cell.get('id')!r} is not unique: build the notebook from its source"
        seen.add(cell.get("id"))


def tags(lesson: Lesson) -> Breaches:
    for number, cell in enumerate(lesson.cells, 1):
        for tag in cell.metadata.get("tags", ()):
            if tag not in TAGS and not tag.startswith(needs.PREFIX):
                known = ", ".join([*TAGS, f"{needs.PREFIX}NAME"])
                yield number, f"the tag {tag!r} is unknown: the tags are {known}"


def stations(lesson: Lesson) -> Breaches:
    yield from needs.leaks(lesson.cells)
    if lesson.kind != "tool" and (names := sorted(needs.whole(lesson.cells))):
        tag = f"{needs.PREFIX}{names[0]}"
        yield None, f"without the station {names[0]} the whole lesson would be lost: tag its cells {tag}"


def outputs(lesson: Lesson) -> Breaches:
    for number, cell in lesson.code():
        compared = COMPARED in cell.metadata.get("tags", ())
        if any(output.output_type == "error" for output in cell.outputs):
            yield number, "an error output is stored: repair the cell and build the notebook"
        if cell.outputs and not compared:
            yield (
                number,
                f"outputs are stored only for cells tagged {COMPARED}: build the notebook",
            )
        if compared and not cell.outputs:
            yield number, f"the cell is tagged {COMPARED} but has no output: build it, or untag it"
        if cell.get("execution_count") is not None and not compared:
            yield number, "an execution count is stored: build the notebook"


def links(lesson: Lesson) -> Breaches:
    anchors = {
        re.sub(r"\s", "-", heading.strip())
        for _, text in lesson.markdown()
        for heading in re.findall(r"^#+ (.+)$", without_fences(text), re.MULTILINE)
    }
    for number, text in lesson.markdown():
        for target in re.findall(r"\]\(<?([^)\s>]+)[^)]*\)", without_fences(text)):
            if re.match(r"[a-z][a-z0-9+.-]*:", target):
                continue
            file, _, anchor = unquote(target).partition("#")
            goal = (lesson.path.parent / file).resolve()
            if not file and anchor not in anchors:
                yield number, f"the link '#{anchor}' leads to no heading of this notebook"
            elif file and not (goal.is_relative_to(lesson.root.resolve()) and goal.exists()):
                yield number, f"the link '{target}' leads to no file of the course"


def pictures(lesson: Lesson) -> Breaches:
    for number, text in lesson.markdown():
        if re.search(r"!\[\s*\]\(", text):
            yield number, "a picture needs alternative text: ![what it shows](file.png)"
        if rules_code.img_without_alt(text):
            yield number, 'a picture needs alternative text: <img src="…" alt="what it shows">'


def prose_stays_portable(lesson: Lesson) -> Breaches:
    for number, text in lesson.markdown():
        for message in rules_portable.in_text(text):
            yield number, message


def figures_come_from_records(lesson: Lesson) -> Breaches:
    for number, text in lesson.markdown():
        for message in rules_figures.bare(text):
            yield number, message


def code_stays_small_and_portable(lesson: Lesson) -> Breaches:
    for number, cell in lesson.code():
        for message in rules_code.problems(cell.source):
            yield number, message


def parameters(lesson: Lesson) -> Breaches:
    tagged = [(n, cell) for n, cell in lesson.code() if "parameters" in cell.metadata.get("tags", ())]
    if len(tagged) != 1:
        yield None, f"one code cell is tagged 'parameters', not {len(tagged)}"
    for number, cell in tagged:
        for message in rules_code.parameter_problems(cell.source):
            yield number, message


def listed(lesson: Lesson) -> Breaches:
    rows, header = listing.minutes(lesson.root), lesson.header()
    table = listing.table_of(lesson.name)
    if rows and lesson.name not in rows:
        yield None, f"the table of {table} has no row for this notebook"
    elif rows and header and rows[lesson.name] != int(header[1]):
        yield 1, f"the table of {table} says {rows[lesson.name]} minutes, this notebook says {header[1]}"


def minutes_as_computed(lesson: Lesson) -> Breaches:
    yield from minutes.as_computed(lesson)


RULES = (
    *rules_frame.RULES,
    *(prose_before_code, cell_kinds, unfinished, ids, tags, stations, outputs, links, pictures, parameters),
    *(prose_stays_portable, figures_come_from_records, code_stays_small_and_portable, listed),
    minutes_as_computed,
)


def report(root: Path, paths: list[Path]) -> int:
    """Check notebooks (all of them if ``paths`` is empty), print every problem; 1 if there is any."""
    root = root.resolve()
    chosen = [path.resolve() for path in paths] or conversion.notebooks(root)
    problems = [problem for path in chosen for problem in check(path, root)]
    if not paths:
        known = {path.relative_to(root).as_posix() for path in chosen}
        gone = sorted(set(listing.minutes(root) or ()) - known)
        problems += [
            Breach(listing.table_of(name), None, "listed", f"{name} does not exist") for name in gone
        ]
    for problem in problems:
        print(problem)
    print(f"{len(chosen)} notebooks checked against the contract, {len(problems)} problems")
    return 1 if problems else 0


def add_arguments(parser) -> None:
    parser.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="NOTEBOOK",
        help="for example notebooks/02_batch.ipynb (default: all)",
    )
    parser.add_argument(
        "--root", type=Path, metavar="FOLDER", default=ROOT, help="the course's folder (default: this one)"
    )


def main(args) -> int:
    """Print every breach of the contract; 1 if there is one."""
    return report(args.root, args.paths)
