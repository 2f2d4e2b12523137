"""Records: what a long run measured, kept as JSON with its date and machine, for lessons to quote.

``models/*.json`` and those of ``infra/docker`` are written and read here only. Knows nothing of what is
measured.
"""

import json
from dataclasses import asdict
from datetime import date
from pathlib import Path

from fsdl_deploy import files
from fsdl_deploy.measuring.machine import described


def stamp() -> dict[str, str]:
    """Today's date and this machine in a line, as every record has them."""
    return {"date": date.today().isoformat(), "machine": described()}


def write(path: Path, **content) -> None:
    """Write a record: ``stamp``, then ``content`` in its order. Dataclasses become dictionaries.

    A record that is there is replaced as a whole, never half of it: whoever reads it meanwhile gets the old
    one. Raises TypeError for what JSON has no form for.
    """
    _replace(path, stamp() | content)


def write_part(path: Path, part: str, **content) -> None:
    """Write ``content`` into a record as its ``part``, with a date and machine of its own; the rest stays."""
    _replace(path, (read(path) if path.exists() else {}) | {part: stamp() | content})


def read(path: Path) -> dict:
    """A record as it was written. Raises FileNotFoundError where there is none."""
    return json.loads(path.read_text(encoding="utf-8"))


def _replace(path: Path, record: dict) -> None:
    files.write(path, json.dumps(record, indent=1, default=asdict) + "\n")
