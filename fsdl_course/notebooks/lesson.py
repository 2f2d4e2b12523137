"""A notebook as its readers see it: cells numbered from 1, and the ``## `` sections they form.

Knows how to find things in a notebook; knows nothing of what should be there (that is ``rules``).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HEADER = re.compile(
    r"\*\*Minutes:\*\* (\d+) · \*\*Prerequisites:\*\* ([^·]*\S) · \*\*Truth:\*\* ([^·]*\S)( · .+)?"
)
"""The line below the title; groups: minutes, prerequisites, how true it is."""


@dataclass
class Section:
    """One ``## `` section: its title, the cell it starts in, its prose, how many code cells it has."""

    title: str
    cell: int
    text: str = ""
    code_cells: int = 0

    def bullets(self) -> int:
        return len(re.findall(r"^[-*] \S", self.text, re.MULTILINE))


@dataclass(frozen=True)
class Lesson:
    """A notebook as the rules see it: its place, its cells, its sections."""

    path: Path
    root: Path
    cells: list

    @property
    def name(self) -> str:
        return self.path.relative_to(self.root).as_posix()

    @property
    def kind(self) -> str:
        if self.path.parent.name == "tools":
            return "tool"
        return "tour" if self.path.stem == "00_tour" else "lesson"

    def markdown(self) -> Iterator[tuple[int, str]]:
        return ((n, cell.source) for n, cell in enumerate(self.cells, 1) if cell.cell_type == "markdown")

    def code(self) -> Iterator[tuple[int, object]]:
        return ((n, cell) for n, cell in enumerate(self.cells, 1) if cell.cell_type == "code")

    def sections(self) -> list[Section]:
        """The ``## `` sections in order, each with its prose and its number of code cells."""
        sections = []
        for number, cell in enumerate(self.cells, 1):
            if cell.cell_type == "code":
                if sections:
                    sections[-1].code_cells += 1
                continue
            fenced = False
            for line in cell.source.splitlines():
                fenced ^= line.lstrip().startswith("```")
                if not fenced and line.startswith("## "):
                    sections.append(Section(line[3:].strip(), number))
                elif sections:
                    sections[-1].text += line + "\n"
        return sections

    def section(self, title: str | None) -> Section | None:
        return next((section for section in self.sections() if section.title == title), None)

    def header(self) -> re.Match | None:
        """The match of HEADER in the first cell; None if no line there has that form."""
        first = self.cells[0].source if self.cells else ""
        matches = (HEADER.fullmatch(line.strip()) for line in first.splitlines())
        return next((match for match in matches if match), None)


def without_fences(text: str) -> str:
    """Prose without its ``` blocks, so that a comment in code is no heading and a call no link."""
    return re.sub(r"^(```|~~~).*?^\1\s*$", "", text, flags=re.MULTILINE | re.DOTALL)
