"""The same file on another kind of processor: what the record says of x86-64 and arm64

``python infra/edge/arm64/record.py FOLDER`` makes the record: ONNX Runtime's own build for arm64, under qemu.
"""

from fsdl_deploy.measuring import records
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.paths import ROOT

FILE = ROOT / "infra" / "edge" / "arm64" / "recorded.json"


def recorded() -> dict:
    """The record: how many ``cards``, and a row for each graph. FileNotFoundError where there is none."""
    return records.read(FILE)


def table() -> Table:
    """Each graph on both processors: other digits, other confidence, right on each."""
    record = recorded()
    rows = [
        [row["graph"], row["bytes"] / 1000, row["other_digits"], row["other_confidence"], row["farthest"],
         row["right_x86"], row["right_arm64"]]
        for row in record["rows"]
    ]  # fmt: skip
    header = ["graph", "kB", "other digits", "other confidence", "farthest", "right, x86-64", "right, arm64"]
    note = (
        f"{record['cards']} cards; {record['date']}; ONNX Runtime {record['onnxruntime']}; arm64 is a"
        f" {record['emulated']} that qemu plays; a confidence is another from 0.0001 on."
    )
    return Table(header, *rows, formats=["", ",.0f", "d", "d", ".4f", "d", "d"], notes=[note])
