"""`fsdl-course notebooks minutes`: how long each notebook takes, computed, beside what its header says

A reader takes in 150 words of prose a minute and 12 lines of code, and waits for the cells as long as the run
on record did. Hidden answers count: they are read. Diagrams do not. With ``--write`` the headers that are off
are corrected, and their rows in the tables.
"""

import argparse
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fsdl_course.notebooks import conversion, listing
from fsdl_course.notebooks.build import build
from fsdl_course.notebooks.lesson import Lesson, without_fences
from fsdl_course.notebooks.recorded_lessons import RUN
from fsdl_deploy import files
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.paths import ROOT

WORDS, LINES = 150, 12  # a minute
MOST_OFF = 0.2
ROUND = 5  # minutes: headers say whole fives
NO_WORD = re.compile(r"<[^>]+>|\]\([^)]*\)")
HEADER = re.compile(r"(?m)^(# \*\*Minutes:\*\* )\d+")


@dataclass(frozen=True)
class ReadingTime:
    """What there is to read in a notebook, and the seconds that its cells take."""

    words: int
    lines: int
    seconds: float = 0.0

    @property
    def minutes(self) -> float:
        return self.words / WORDS + self.lines / LINES + self.seconds / 60

    @property
    def rounded(self) -> int:
        """What a header says: the nearest five, at least five."""
        return max(ROUND, ROUND * round(self.minutes / ROUND))

    def is_off(self, stated: int) -> bool:
        """Whether a header is off by more than a fifth, and by more than rounding does."""
        return abs(stated - self.minutes) > max(MOST_OFF * min(stated, self.minutes), ROUND / 2)


def reading_time(lesson: Lesson) -> ReadingTime:
    """Of a notebook; without seconds where no run of it is on record."""
    prose = " ".join(NO_WORD.sub(" ", without_fences(text)) for _, text in lesson.markdown())
    lines = sum(bool(line.strip()) for _, cell in lesson.code() for line in cell.source.splitlines())
    return ReadingTime(len(prose.split()), lines, _seconds(lesson))


def _seconds(lesson: Lesson) -> float:
    name = lesson.name.removeprefix("notebooks/").removesuffix(".ipynb")
    return _runs(lesson.root).get(name, {}).get("seconds", 0.0)


def _runs(root: Path) -> dict:
    path = root / RUN
    return json.loads(path.read_text(encoding="utf-8"))["lessons"] if path.is_file() else {}


def as_computed(lesson: Lesson) -> Iterator[tuple[int, str]]:
    """The rule of the contract: a header that is off. Nothing where no run at all is on record."""
    header = lesson.header()
    if header and _runs(lesson.root) and (time := reading_time(lesson)).is_off(int(header[1])):
        yield (
            1,
            f"the header says {header[1]} minutes, and it takes about {time.minutes:.0f} to read and run: "
            "`fsdl-course notebooks minutes --write` corrects it",
        )


def correct(lesson: Lesson) -> None:
    """Write the computed minutes into the header of the notebook's source and into its row of a table."""
    minutes, root = reading_time(lesson).rounded, lesson.root
    source = conversion.source_of(lesson.path, root)
    files.write(source, HEADER.sub(rf"\g<1>{minutes}", source.read_text(encoding="utf-8"), count=1))
    table = root / listing.table_of(lesson.name)
    link = re.escape(lesson.path.relative_to(table.parent).as_posix())
    row = re.compile(rf"(?m)^(\|.*\]\({link}\).*\| )\d+( \|)$")
    files.write(table, row.sub(rf"\g<1>{minutes}\2", table.read_text(encoding="utf-8")))
    build(source, root)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--write", action="store_true", help="correct the headers that are off, and tables")


def main(args: argparse.Namespace) -> int:
    """Show all notebooks; 1 if a header is off and was not corrected."""
    rows, wrong = [], []
    for path in conversion.notebooks(ROOT):
        lesson = Lesson(path, ROOT, conversion.read(path).cells)
        time, stated = reading_time(lesson), int(lesson.header()[1])
        rows.append([lesson.name, time.words, time.lines, time.seconds, time.minutes, stated])
        if time.is_off(stated):
            wrong.append(lesson)
            rows[-1][-1] = f"{stated} → {time.rounded}"
    header = ["notebook", "words", "lines of code", "run (s)", "computed (min)", "header"]
    print(Table(header, *rows, formats=["", "d", "d", ".0f", ".0f", ""]))
    print(f"{len(wrong)} of {len(rows)} are off by more than {MOST_OFF:.0%}")
    for lesson in wrong if args.write else ():
        correct(lesson)
    return 1 if wrong and not args.write else 0
