"""Vertex AI, Azure ML, SageMaker and MLflow beside each other, and which notebook shows what

It is ``infra/managed/side_by_side.toml``. A figure that nothing here can show has a source and a date.
"""

import functools
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from fsdl_deploy import dated_rows
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.paths import ROOT

FILE = ROOT / "infra" / "managed" / "side_by_side.toml"
SERVICES = {
    "vertex": "Vertex AI",
    "azureml": "Azure ML",
    "sagemaker": "SageMaker",
    "mlflow": "MLflow (Databricks)",
}
NOTEBOOKS = ("vertex", "azure_ml", "sagemaker", "mlflow_serving")
_SAID = {"what": dated_rows.text, **dict.fromkeys(SERVICES, dated_rows.text)}
_WHERE = {
    "notebooks": dated_rows.each(dated_rows.choice(NOTEBOOKS)),
    "sources": dated_rows.each(dated_rows.address),
    "date": dated_rows.day,
}


class RowError(ValueError):
    """The file is wrong; the message names the row and says what it lacks."""


@dataclass(frozen=True)
class Row:
    """One property. ``said_of``: by service; ``notebooks`` show it; ``sources`` were read on ``date``."""

    what: str
    said_of: dict[str, str]
    notebooks: tuple[str, ...]
    sources: tuple[str, ...]
    date: date | None


@functools.cache
def rows(file: Path = FILE) -> list[Row]:
    """All rows. Raises RowError for one that neither a notebook shows nor a dated source says."""
    known = []
    for name, row in dated_rows.listed(dated_rows.document(file, RowError), "row", "what", RowError):
        dated_rows.check(name, row, _SAID, _WHERE, RowError, 'write "unknown" where nothing was found')
        names, sources = tuple(row.get("notebooks", ())), tuple(row.get("sources", ()))
        if not names and not sources:
            raise RowError(f"{name} has neither a notebook that shows it nor a source")
        if bool(sources) is not ("date" in row):
            raise RowError(f"{name} has {'sources and no' if sources else 'no sources and a'} date")
        texts = {service: row[service] for service in SERVICES}
        known.append(Row(name, texts, names, sources, row.get("date")))
    return known


def counts() -> dict[str, int]:
    """How many rows there are, how many a notebook shows by running it, and how many cells are unknown."""
    known = rows()
    return {
        "of": len(known),
        "shown": sum(bool(row.notebooks) for row in known),
        "unknown": sum("unknown" in text for row in known for text in row.said_of.values()),
    }


def table() -> Table:
    """The rows, for a lesson to show."""
    lines = [
        [row.what, *row.said_of.values(), ", ".join(row.notebooks) or f"read {row.date.isoformat()}"]
        for row in rows()
    ]
    notes = [f"Sources of what is only read: {FILE.relative_to(ROOT).as_posix()}"]
    return Table(["", *SERVICES.values(), "shown in"], *lines, notes=notes)
