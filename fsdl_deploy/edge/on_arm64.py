"""The same file on other processors: what the record says of an older x86-64 and of arm64

``python infra/edge/arm64/record.py FOLDER`` makes the record: ONNX Runtime's own builds, under qemu.
"""

from fsdl_deploy.measuring import records
from fsdl_deploy.measuring.accuracy import wilson
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.paths import ROOT

FILE = ROOT / "infra" / "edge" / "arm64" / "recorded.json"


def recorded() -> dict:
    """The record: how many ``cards``, and a row for each graph and processor. FileNotFoundError without
    one.
    """
    return records.read(FILE)


def otherwise(record: dict) -> dict[str, dict[str, int]]:
    """Cards whose digits differ from the recording machine's, by processor ("old", "arm64") and graph."""
    sides: dict[str, dict[str, int]] = {}
    for row in record["rows"]:
        sides.setdefault(row["side"], {})[row["graph"]] = row["other_digits"]
    return sides


def at_most(record: dict) -> tuple[int, float]:
    """The most cards that any graph reads otherwise on any processor, and the share that is
    not excluded.

    The share is the upper end of the 95 % interval (Wilson): no difference on few cards says little.
    """
    most = max(row["other_digits"] for row in record["rows"])
    return most, wilson(most, record["cards"])[1]


def finding(record: dict) -> str:
    """The finding with its interval, as a sentence."""
    most, high = at_most(record)
    return (
        f"of {record['cards']:,} cards {most} are read otherwise, at most; the 95 % interval still allows"
        f" {high:.1%} of all cards"
    )


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
        "right on x86-64",
        "right on this one",
    ]
    has = "has" if record["vnni"] else "has no"
    note = (
        f"{record['cards']} cards; ONNX Runtime {record['onnxruntime']}; recorded {record['date']}; on"
        f" {record['machine']}, which {has} instructions for int8; a confidence is another from 0.0001 on."
    )
    return Table(header, *rows, formats=["", "", "d", "d", ".4f", "d", "d"], notes=[note])
