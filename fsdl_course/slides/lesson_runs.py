"""A run of the lessons, written down once: the tables and lines that their executed copies show.

``fsdl-course slides --record`` reads the copies that ``make course`` left in ``build/course`` and writes
``slides/lessons.json``, with its date and machine, for decks and the page of claims to quote from. Of tools
it keeps the table of claims only. Addresses and folders of the machine are left out. Executes nothing.
"""

import html
import re
from pathlib import Path

from fsdl_course import claims
from fsdl_course.notebooks import pages
from fsdl_course.notebooks.conversion import read
from fsdl_course.notebooks.recorded_lessons import RUN
from fsdl_course.slides.deck import DeckError
from fsdl_deploy.measuring import records

OF_THE_MACHINE = re.compile(
    r"/tmp/|/home/|/root/|/work/|127\.0\.0\.1|localhost|0x[0-9a-f]{4}|\x1b|\r|\bpid\b"
)
LONGEST = 180  # characters of a line worth keeping
HEADING = re.compile(r"^#{2,3} +(.+?) *$", re.MULTILINE)


def record(root: Path, names: list[str]) -> Path:
    """Write the record of the lessons called ``names``; those that it has of others stay.

    DeckError for a lesson whose executed copy is missing or failed.
    """
    path = root / RUN
    lessons = records.read(path)["lessons"] if path.exists() else {}
    for name in names:
        copy = root / pages.FOLDER / f"{name}.ipynb"
        if not copy.is_file():
            raise DeckError(f"{name} is not executed: `fsdl-course notebooks course {name}` does it")
        seen = outputs_of(copy)
        if name.startswith("tools/"):
            seen = {"tables": [table for table in seen["tables"] if table["header"][-1] == "verdict"]}
        seconds = read(copy).metadata.get(pages.RECORD, {}).get("seconds")  # only a test run notes them
        seconds = seconds or lessons.get(name, {}).get("seconds", 0.0)
        lessons[name] = records.stamp() | {"seconds": round(seconds, 1)} | seen
    records.write(path, lessons=dict(sorted(lessons.items())))
    return path


def outputs_of(copy: Path) -> dict:
    """The tables of an executed notebook with their sections, and the lines with a number that it prints."""
    section, tables, printed = "", [], []
    for cell in read(copy).cells:
        if cell.cell_type == "markdown":
            headings = HEADING.findall(cell.source)
            section = headings[-1] if headings else section
        for output in cell.get("outputs", ()):
            if output.output_type == "error":
                raise DeckError(f"{copy.name} failed when it was executed: {output.ename}: {output.evalue}")
            if output.output_type == "stream" and output.name == "stdout":
                printed += filter(_worth_keeping, map(str.strip, output.text.splitlines()))
            elif page := output.get("data", {}).get("text/html"):
                tables += [{"section": section, **table} for table in _tables("".join(page))]
    for name in {table["section"] for table in tables}:
        alike = [table for table in tables if table["section"] == name]
        for number, table in enumerate(alike[1:], start=2):
            table["section"] = f"{name} {number}"
    return {"tables": tables, "printed": list(dict.fromkeys(printed))}


def _worth_keeping(line: str) -> bool:
    return bool(re.search(r"\d", line)) and len(line) <= LONGEST and not OF_THE_MACHINE.search(line)


def _tables(page: str) -> list[dict]:
    tables = []
    for text in re.findall(r"<table\b.*?</table>", page, re.DOTALL):
        rows = [
            [_plain(cell) for cell in re.findall(r"<t[hd]\b[^>]*>(.*?)</t[hd]>", row, re.DOTALL)]
            for row in re.findall(r"<tr\b.*?</tr>", text, re.DOTALL)
        ]
        rows = [row for row in rows if row and not any(map(OF_THE_MACHINE.search, row))]
        if len(rows) > 1:
            tables.append({"header": rows[0], "rows": rows[1:]})
    return tables


def _plain(cell: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", cell)).split())


def lessons(root: Path) -> list[str]:
    """What is executed in ``build/course``: the lessons, and tools that measure a sentence of the lecture."""
    known = claims.read(root) if (root / claims.FILE).is_file() else []
    tools = {claim.notebook for claim in known if claim.notebook.startswith("tools/")}
    executed = sorted(copy.stem for copy in (root / pages.FOLDER).glob("[0-9]*.ipynb"))
    return executed + sorted(tool for tool in tools if (root / pages.FOLDER / f"{tool}.ipynb").is_file())
