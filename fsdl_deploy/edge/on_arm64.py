"""The same file on other processors: what the record says of an older x86-64 and of arm64

``python infra/edge/arm64/record.py FOLDER`` makes the record: ONNX Runtime's own builds, under qemu.
"""

from fsdl_deploy.measuring import records
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.paths import ROOT

FILE = ROOT / "infra" / "edge" / "arm64" / "recorded.json"


def recorded() -> dict:
    """The record: how many ``cards``, and a row for each graph and processor. FileNotFoundError without
    one.
    """
    return records.read(FILE)


def otherwise(record: dict) -> dict[str, dict[str, int]]:
    """Cards whose digits differ from this kind of machine's, by processor ("old", "arm64") and graph."""
    sides: dict[str, dict[str, int]] = {}
    for row in record["rows"]:
        sides.setdefault(row["side"], {})[row["graph"]] = row["other_digits"]
    return sides


def table() -> Table:
    """Each graph on each processor beside the machine of the record: digits, confidence, cards read right."""
    record = recorded()
    names = {"old": f"x86-64, {record['old']}", "arm64": f"arm64, {record['arm64']}"}
    rows = [
        [row["graph"], names[row["side"]], row["other_digits"], row["other_confidence"], row["farthest"],
         row["right_here"], row["right_there"]]
        for row in record["rows"]
    ]  # fmt: skip
    header = [
        "graph",
        "processor",
        "other digits",
        "other confidence",
        "farthest",
        "right here",
        "right there",
    ]
    has = "has" if record["vnni"] else "has no"
    note = (
        f"{record['cards']} cards; ONNX Runtime {record['onnxruntime']}; recorded {record['date']}; here:"
        f" {record['machine']}, which {has} instructions for int8; a confidence is another from 0.0001 on."
    )
    return Table(header, *rows, formats=["", "", "d", "d", ".4f", "d", "d"], notes=[note])
