"""All targets of the edge in one table: what each takes, how it reads, and how its project is doing

Made from ``infra/edge/NAME/target.toml`` and ``models/edge.json``; ``fsdl-deploy edge compare --record``
writes the latter. Knows nothing of how a target is built or asked.
"""

from collections import Counter
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
    """How many targets there are and run, and of the recorded float32 readers of whole cards, how many
    pass.

    Of the targets ``whole`` have a file that takes a picture and gives its digits, ``any_width`` take
    pictures of any width, and ``both`` do both and run.
    """
    every = catalogue.targets(root)
    full = [
        row["measured"]
        for row in rows(models, root)
        if row["measured"] and row["precision"].startswith("float32") and _form(row) != "bare"
    ]
    whole = {name for name, of in every.items() if "whole" in map(of.form_of, of.variants)}
    any_width = {name for name, of in every.items() if of.width == "any"}
    run = {name for name, of in every.items() if of.status == "runs"}
    return {
        "of": len(every),
        "run": len(run),
        "whole": len(whole),
        "any_width": len(any_width),
        "both": len(whole & any_width & run),
        "recorded": len(full),
        "pass": sum(row["cards"] - row["same"] <= BAR * row["cards"] for row in full),
    }


def _form(row: dict) -> str:
    return row["target"].form_of(row["precision"])


def extent(models: Path | None = None, root: Path = catalogue.ROOT) -> str:
    """How much of the table is recorded, as text: rows and runtimes, cards a row, and what is missing."""
    every = rows(models, root)
    known = [row for row in every if row["measured"]]
    cards = Counter(row["measured"]["cards"] for row in known)
    lines = [f"recorded: {len(known)} rows of {len({row['target'].name for row in known})} runtimes"]
    if cards:
        usual = cards.most_common(1)[0][0]
        other = [
            f"{_name(row)} {row['measured']['cards']:,}" for row in known if row["measured"]["cards"] != usual
        ]
        lines[0] += f", each on {usual:,} cards" + f" (but {'; '.join(other)})" * bool(other)
    groups = {
        "checked, and no cards read here": lambda row: not row["target"].variant(row["precision"]).reads,
        "not recorded yet": lambda row: row["target"].variant(row["precision"]).reads,
    }
    for words, of in groups.items():
        if names := [_name(row) for row in every if not row["measured"] and of(row)]:
            lines.append(f"{words}: {'; '.join(names)}")
    return "\n".join(lines)


def _name(row: dict) -> str:
    return f"{row['target'].title} {row['precision']}"


def table(models: Path | None = None, root: Path = catalogue.ROOT) -> Table:
    """Every target and precision, for a lesson to show."""
    cells = []
    for row in rows(models, root):
        target, known = row["target"], row["measured"]
        same = f"{known['same']:,} of {known['cards']:,}" if known else None
        sizes = (known["size"] / 1000, known["latency_ratio"]) if known else (None, None)
        cells.append([target.title, target.status, _form(row), target.width, row["precision"], same, *sizes])
    header = ["runtime", "status", "form", "width", "precision", "same reading", "kB", "time"]
    note = "time: of a card, ONNX Runtime in turns is 1; empty: not recorded, or not to be run here"
    return Table(header, *cells, formats=["", "", "", "", "", "", ",.0f", ".2f"], notes=[note])


def limits(root: Path = catalogue.ROOT) -> Table:
    """Every target's licence and state, in one dated sentence each; sources stand in the files."""
    cells = [[t.title, t.licence, t.state] for t in catalogue.targets(root).values()]
    return Table(["runtime", "licence", "state"], *cells, notes=["Sources: infra/edge/NAME/target.toml"])


def int8(models: Path | None = None, root: Path = catalogue.ROOT) -> Table:
    """int8 beside float32 on each runtime: readings that stay the same with their interval, bytes and time as
    shares of float32's; empty where that runtime has no float32 on record.
    """
    cells = []
    every = rows(models, root)
    for row in every:
        plain = next(
            (o["measured"] for o in every if o["target"] == row["target"] and o["precision"] == "float32"),
            None,
        )
        known = row["measured"]
        if not _in_8_bits(row) or not known:
            continue
        shares = [known[name] / plain[name] if plain else None for name in ("size", "latency_ratio")]
        low, high = known["same_interval"]
        same = f"{known['same']:,} of {known['cards']:,}"
        cells.append([row["target"].title, row["precision"], same, f"{low:.1%} – {high:.1%}", *shares])
    header = ["runtime", "int8", "same reading", "95 % interval", "bytes of float32", "time of float32"]
    return Table(header, *cells, formats=["", "", "", "", ".0%", ".2f"])


def _in_8_bits(row: dict) -> bool:
    return "int8" in row["precision"]  # uint8, too


def changed_by_int8(models: Path | None = None, root: Path = catalogue.ROOT) -> dict[str, float]:
    """Over all recorded files in 8 bits: how many there are (``files``), and the fewest and most readings of
    ``per`` cards that are not the float32 reference's (``least``, ``most``), with the ``high`` end of the
    worst file's 95 % interval as a share of the cards. {} where nothing is recorded.
    """
    known = [row["measured"] for row in rows(models, root) if row["measured"] and _in_8_bits(row)]
    if not known:
        return {}
    per = max(row["cards"] for row in known)
    changed = [per * (1 - row["same"] / row["cards"]) for row in known]
    worst = min(known, key=lambda row: row["same"] / row["cards"])
    return {
        "files": len(known),
        "per": per,
        "least": round(min(changed), 1),
        "most": round(max(changed), 1),
        "high": 1 - worst["same_interval"][0],
    }
