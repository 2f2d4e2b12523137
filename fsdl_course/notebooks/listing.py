"""The tables that list the notebooks with their minutes: lessons in the README, tools in their folder's."""

import re
from pathlib import Path

TABLES = ("README.md", "notebooks/tools/README.md")


def table_of(name: str) -> str:
    """The file whose table lists the notebook ``name``: the README, for tools their folder's."""
    return TABLES[name.startswith("notebooks/tools/")]


def minutes(root: Path) -> dict[str, int | None] | None:
    """Minutes by notebook as the tables say; None if there is no table of notebooks."""
    rows = {}
    for table in TABLES:
        rows |= _minutes(root / table, root)
    return rows or None


def _minutes(readme: Path, root: Path) -> dict[str, int | None]:
    text = readme.read_text(encoding="utf-8") if readme.exists() else ""
    folder = readme.parent.relative_to(root)
    rows, column = {}, None
    for line in text.splitlines():
        fields = [field.strip() for field in line.strip().strip("|").split("|")]
        if not line.lstrip().startswith("|"):
            column = None
        elif column is None:
            names = [field.lower() for field in fields]
            column = names.index("minutes") if "minutes" in names else None
        elif (target := re.search(r"\]\(([^)#:]+\.ipynb)", line)) and column < len(fields):
            name, number = (folder / target[1]).as_posix(), re.match(r"\d+", fields[column])
            if name.startswith("notebooks/"):
                rows[name] = int(number[0]) if number else None
    return rows
