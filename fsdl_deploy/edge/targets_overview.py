"""All targets of the edge in one table: what each takes, how it reads, and how its project is doing

Made from ``infra/edge/NAME/target.toml`` and ``models/edge.json``; ``fsdl-deploy edge compare --record``
writes the latter. Knows nothing of how a target is built or asked.
"""

from pathlib import Path

from fsdl_deploy import weights
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.targets import catalogue, record

BAR = 0.001  # of the cards may be read otherwise in float32


def _recorded(models: Path | None = None) -> dict[str, dict]:
    """The record by target; {} before the first one."""
    file = (models or weights.folder()) / record.FILE
    return record.read(models) if file.exists() else {}


def rows(models: Path | None = None, root: Path = catalogue.ROOT) -> list[dict]:
    """A row for each target and precision: its facts, and what is recorded of it (None where nothing is)."""
    recorded = _recorded(models)
    return [
        {"target": target, "precision": precision}
        | {"measured": _row(recorded.get(name, {}), precision), "date": recorded.get(name, {}).get("date")}
        for name, target in catalogue.targets(root).items()
        for precision in target.variants
    ]


def _row(part: dict, precision: str) -> dict | None:
    return next((row for row in part.get("rows", ()) if row["precision"] == precision), None)


def counts(models: Path | None = None, root: Path = catalogue.ROOT) -> dict[str, int]:
    """How many targets there are and run, and of the recorded float32 readers of whole or masked cards, how
    many pass.

    ``any_width``: of the targets, those that take pictures of any width.
    """
    every = catalogue.targets(root)
    full = [
        row["measured"]
        for row in rows(models, root)
        if row["measured"] and row["precision"] == "float32" and row["target"].form != "bare"
    ]
    return {
        "of": len(every),
        "run": sum(target.status == "runs" for target in every.values()),
        "whole": sum(target.form == "whole" for target in every.values()),
        "any_width": sum(target.width == "any" for target in every.values()),
        "recorded": len(full),
        "pass": sum(row["cards"] - row["same"] <= BAR * row["cards"] for row in full),
    }


def table(models: Path | None = None, root: Path = catalogue.ROOT) -> Table:
    """Every target and precision, for a lesson to show."""
    cells = []
    for row in rows(models, root):
        target, known = row["target"], row["measured"]
        same = f"{known['same']:,} of {known['cards']:,}" if known else None
        sizes = (known["size"] / 1000, known["latency_ratio"]) if known else (None, None)
        cells.append([target.title, target.status, target.form, target.width, row["precision"], same, *sizes])
    header = ["runtime", "status", "form", "width", "precision", "same reading", "kB", "time"]
    note = "time: of a card, ONNX Runtime in turns is 1; empty: not recorded, or not to be run here"
    return Table(header, *cells, formats=["", "", "", "", "", "", ",.0f", ".2f"], notes=[note])


def limits(root: Path = catalogue.ROOT) -> Table:
    """Every target's licence and state, in one dated sentence each; sources stand in the files."""
    cells = [[t.title, t.licence, t.state] for t in catalogue.targets(root).values()]
    return Table(["runtime", "licence", "state"], *cells, notes=["Sources: infra/edge/NAME/target.toml"])


def int8(models: Path | None = None, root: Path = catalogue.ROOT) -> Table:
    """int8 beside float32 on each runtime: readings that stay the same, bytes and time as shares of
    float32's.
    """
    cells = []
    every = rows(models, root)
    for row in every:
        plain = next(
            (o["measured"] for o in every if o["target"] == row["target"] and o["precision"] == "float32"),
            None,
        )
        known = row["measured"]
        if "int8" not in row["precision"] or not (known and plain):
            continue
        cells.append(
            [row["target"].title, row["precision"], f"{known['same']:,} of {known['cards']:,}",
             known["size"] / plain["size"], known["latency_ratio"] / plain["latency_ratio"]]
        )  # fmt: skip
    header = ["runtime", "int8", "same reading", "bytes of float32", "time of float32"]
    return Table(header, *cells, formats=["", "", "", ".0%", ".2f"])
