"""The page of decisions: a diagram whose arrows are the rows of a table, each with what was measured

``notebooks/source/choosing.md`` is its source, with figures as keys; ``fsdl-course documents`` writes
``CHOOSING.md`` out of it. Knows nothing of what is right to choose.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from fsdl_course import diagrams
from fsdl_course.notebooks import quoting, rules_figures

FILE = Path("notebooks") / "source" / "choosing.md"
PAGE = "CHOOSING.md"
ARROW = re.compile(r'--> *\|"(\d+) [^"]+"\|')
ROW = re.compile(r"^\| *(\d+) *\|(.*)\|$", re.MULTILINE)
SECTION = re.compile(r"\]\(<notebooks/(\w+)\.ipynb#([^>]+)>\)")


class ChoosingError(ValueError):
    """The page of decisions is wrong; the message says what to do."""


def problems(text: str, root: Path) -> Iterator[str]:
    """What is wrong with the page's source, each a sentence."""
    drawn = "".join(diagrams.sources(text))
    arrows = ARROW.findall(drawn)
    rows = dict(ROW.findall(text))
    if not arrows or arrows != list(rows):
        yield f"{FILE}: the diagram has the arrows {', '.join(arrows)}, the table {', '.join(rows)}"
    for number, row in rows.items():
        if not quoting.WANTED.search(row):
            yield f"{FILE}, arrow {number}: say by a key what was measured, such as {{{{seen_of(38)}}}}"
        if not (places := SECTION.findall(row)):
            yield f"{FILE}, arrow {number}: link the section that measures it"
        for lesson, anchor in places:
            source = root / "notebooks" / "source" / f"{lesson}.py"
            heading = f"# ## {anchor.replace('-', ' ')}\n"
            if not source.is_file() or heading not in source.read_text(encoding="utf-8").replace("-", " "):
                yield f"{FILE}, arrow {number}: {lesson} has no section {anchor!r}"
    prose = quoting.outside_code(quoting.WANTED.sub(" ", text))
    yield from (f"{FILE}: {problem}" for problem in rules_figures.bare(prose))


def page(root: Path) -> str:
    """``CHOOSING.md`` with its figures from the records.

    Raises ChoosingError with all that is wrong, NotebookError for a key that no record has.
    """
    text = (root / FILE).read_text(encoding="utf-8")
    if wrong := list(problems(text, root)):
        raise ChoosingError("\n".join(wrong))
    return quoting.fill(text, root / "models")
