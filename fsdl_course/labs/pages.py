"""Labs without functions to fill in: their page is made from one source; hand-ins are judged elsewhere.

Such a lab has ``solutions/labNN/labNN.py`` and no ``questions.py``. Knows nothing of how it is graded.
"""

import re
from pathlib import Path

from fsdl_course.labs import rules
from fsdl_course.labs.questions import Lab
from fsdl_course.notebooks import edits
from fsdl_course.notebooks.conversion import read_source, write
from fsdl_deploy.paths import ROOT


def names(root: Path = ROOT) -> list[str]:
    """The labs that have a page and no questions."""
    sources = (root / "solutions").glob("lab[0-9][0-9]/lab[0-9][0-9].py")
    return sorted(path.stem for path in sources if not (path.parent / "questions.py").exists())


def notebook(name: str, root: Path = ROOT):
    """The page as a notebook. NotebookError says what is wrong with its source."""
    page = read_source(root / "solutions" / name / f"{name}.py", f"labs/{name}", root)
    page.metadata["fsdl_lab"] = name
    return page


def files(name: str, root: Path = ROOT) -> dict[Path, str]:
    """The one file that the source makes, with its text."""
    page = notebook(name, root)
    edits.stamp(page)
    return {root / "labs" / name / f"{name}.ipynb": write(page)}


def minutes(name: str, root: Path = ROOT) -> int:
    """What the page's header says."""
    return int(rules.HEADER.search(notebook(name, root).cells[0].source)[1])


def problems(name: str, root: Path = ROOT) -> list[str]:
    """Breaches of those rules that a lab without exercises can keep, as sentences."""
    text = rules.LabText(name, root, notebook(name, root).cells, Lab([]))
    found = [
        message for rule in (rules.signs, rules.figures, rules.listed_in_readme) for message in rule(text)
    ]
    first = text.cells[0].source
    if not re.match(rf"# Lab {name[-2:]}: \S", first) or not rules.HEADER.search(first):
        found.append("the first cell has the title '# Lab 10: …' and the line with minutes and prerequisites")
    return [f"{name}: {message}" for message in found]
