"""What is on the site, in which order: read from the tables of the README and of the tools

Knows where documents lie in the repository; knows nothing of how a page is made.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from fsdl_course.workspace import copies

README, TOOLS = "README.md", "notebooks/tools/README.md"
ROW = re.compile(r"^\| \[(?P<title>[^\]]+)\]\((?P<path>[^)\s]+\.ipynb)\) \|(?P<rest>.*)\|\s*$", re.MULTILINE)
# Documents that become pages, each with its name in the bar beside them.
ABOUT = {
    "CHOOSING.md": "Which should I choose?",
    "GLOSSARY.md": "Glossary",
    "labs/lab10/CONTRACT.md": "Lab 10: what a service has to do",
    "solutions/README.md": "For instructors",
    "solutions/teaching-plan.md": "Teaching plan",
    "slides/README.md": "How a deck is written",
    "CONTRIBUTING.md": "Contributing",
    "CHANGELOG.md": "What changed",
    "LICENSE-text.md": "Licence of the text",
}


class SiteError(RuntimeError):
    """The site cannot be made; the message says what to do."""


@dataclass(frozen=True)
class Entry:
    """A row of a table: a notebook by its path in the repository, its title, and what stands beside it."""

    path: str
    title: str
    cells: tuple[str, ...] = ()

    @property
    def document(self) -> str:
        """How Sphinx calls its page."""
        return self.path.rpartition(".")[0]


@dataclass(frozen=True)
class Contents:
    """The site's notebooks and documents, in the order of the course."""

    lessons: tuple[Entry, ...]
    tools: tuple[Entry, ...]
    labs: tuple[Entry, ...]
    more: tuple[Entry, ...] = ()
    """Pages of the course that are no notebook: a glossary, how to decide."""
    models: tuple[Entry, ...] = ()
    about: tuple[Entry, ...] = ()
    """Documents of the repository: the instructor's guide, how to change the course."""

    @property
    def notebooks(self) -> tuple[Entry, ...]:
        """All that is a notebook."""
        return (*self.lessons, *self.tools, *self.labs)

    def stages(self) -> list[tuple[Entry, list[Entry]]]:
        """Each lesson with its tools; a lesson without one is left out."""
        numbers = {entry.title.split()[0]: entry for entry in self.lessons}
        by_lesson = {number: [tool for tool in self.tools if number == tool.cells[1]] for number in numbers}
        return [(numbers[number], tools) for number, tools in by_lesson.items() if tools]


def contents(root: Path) -> Contents:
    """What the site of the repository at ``root`` has. Raises SiteError for a notebook in no table."""
    readme = rows(root / README)
    lessons = [entry for entry in readme if entry.path.startswith("notebooks/")]
    labs = [entry for entry in readme if entry.path.startswith("labs/")]
    tools = rows(root / TOOLS, "notebooks/tools/")
    known = {entry.path for entry in (*lessons, *tools, *labs)}
    for path in copies.originals(root):
        if path not in known:
            table = TOOLS if "/tools/" in path else README
            raise SiteError(f"{path} is in no table of {table}: add a row for it, so that the site has it")
    if not lessons:
        raise SiteError(f"{README} has no table of lessons: the site takes its order from there")
    more = [_titled(path, root) for path in sorted((root / "notebooks").glob("*.md"))]
    models = [_titled(path, root) for path in sorted((root / "models").glob("*.md"))]
    about = [Entry(path, title) for path, title in ABOUT.items() if (root / path).is_file()]
    return Contents(*map(tuple, (lessons, tools, labs, more, models, about)))


def rows(table: Path, folder: str = "") -> list[Entry]:
    """The rows of a document's tables whose first cell links a notebook; ``folder`` is put before the paths.

    Raises SiteError for a row whose notebook is not there.
    """
    if not table.is_file():
        return []
    entries = []
    for row in ROW.finditer(table.read_text(encoding="utf-8")):
        if not (table.parent / row["path"]).is_file():
            raise SiteError(
                f"{table.name} has a row for {row['path']}, which is not there: build it, or take it out"
            )
        cells = tuple(cell.strip() for cell in row["rest"].split("|"))
        entries.append(Entry(folder + row["path"], row["title"], cells))
    return entries


def section(text: str, heading: str) -> str:
    """What stands under a heading of the second level of Markdown; SiteError where it is missing."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    if heading not in sections:
        raise SiteError(f"{README} has no section {heading!r}, which the site's front page shows")
    return sections[heading].strip()


def _titled(path: Path, root: Path) -> Entry:
    title = re.search(r"^# (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return Entry(path.relative_to(root).as_posix(), title[1] if title else path.stem)
