"""The record of all targets, ``models/edge.json``: what each read of 1,000 cards, and the table of them

A part a target, with its own date and machine. Knows nothing of how a target is asked.
"""

from collections.abc import Sequence
from pathlib import Path

from fsdl_deploy import weights
from fsdl_deploy.measuring import records
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.paths import ROOT
from fsdl_deploy.targets import catalogue
from fsdl_deploy.targets.comparing import Comparison, as_dict

FILE = "edge.json"
_OWN = ("target", "versions")  # a part has them once


def write(comparisons: Sequence[Comparison], models: Path | None = None) -> None:
    """Write what was compared of one target as its part of the record, in place of the former one."""
    rows = [{name: value for name, value in as_dict(row).items() if name not in _OWN} for row in comparisons]
    file = (models or weights.folder()) / FILE
    records.write_part(file, comparisons[0].target, versions=comparisons[0].versions, rows=rows)


def read(models: Path | None = None) -> dict[str, dict]:
    """Each target's part of the record: date, machine, versions, rows."""
    return records.read((models or weights.folder()) / FILE)


def table(models: Path | None = None, root: Path = ROOT) -> Table:
    """All targets of the catalogue, a row for each precision: what it is, and what is recorded of it."""
    recorded, rows = read(models), []
    for name, target in catalogue.targets(root).items():
        measured = {row["precision"]: row for row in recorded.get(name, {}).get("rows", ())}
        for precision in target.variants:
            row = measured.get(precision)
            facts = [target.title, target.status, target.form_of(precision), target.width, precision]
            if row is None:
                rows.append([*facts, None, None, None, None, target.licence])
                continue
            same, right = (f"{row[key]:,} of {row['cards']:,}" for key in ("same", "right"))
            rows.append([*facts, same, right, row["size"] / 1000, row["latency_ratio"], target.licence])
    header = ["", "status", "form", "width", "", "same reading", "right", "kB", "time", "licence"]
    return Table(header, *rows, formats=["", "", "", "", "", "", "", ",.0f", ".2f", ""])
