"""What all tricks together bring, by the record of the ladder: the lecture's *2-10, but not more than that*

The answer depends on where one starts. A *careless* start is the teacher in torch as it was trained; a
*careful* one is the same network in ONNX Runtime with its graph optimised. Only what also helps on a device
counts: no batches, no cache, no second model. Bytes have two starts as well: training left float16 weights,
and the export wrote them as float32, so half of what is saved from there was added there.
"""

from dataclasses import dataclass

from fsdl_deploy import weights
from fsdl_deploy.measuring import records
from fsdl_deploy.measuring.table import Table

CARELESS, TUNED, CAREFUL = "teacher, padded", "inference_mode", "graph optimisations"
ENDS = ("int8, static", "distilled", "distilled, int8, static")


@dataclass(frozen=True)
class Factor:
    """From one rung of the ladder to another: how many times as fast, and as small; points of accuracy lost.

    ``smaller`` is against the file of the start, ``smaller_than_trained`` against the one that training left.
    """

    start: str
    end: str
    faster: float
    smaller: float
    smaller_than_trained: float
    lost: float


def factors() -> list[Factor]:
    """Every start and every end. The first start has threads in each other's way: ``TUNED`` has none."""
    rungs = {rung["rung"]: rung for rung in records.read(weights.folder() / "ladder.json")["rungs"]}
    rows = []
    for start in (CARELESS, TUNED, CAREFUL):
        for end in ENDS:
            a, b = rungs[start], rungs[end]
            # The rungs have as many workers as cores, but the first one: so rates compare, not latencies.
            lost = 100 * (a["right"] / a["cards"] - b["right"] / b["cards"])
            smaller, of_trained = (rungs[of]["file"] / b["file"] for of in (start, CARELESS))
            faster = b["per_second"] / a["per_second"]
            rows.append(Factor(start, end, faster, smaller, of_trained, lost))
    return rows


def best(start: str) -> Factor:
    """The most that was gained in speed from this start."""
    return max((row for row in factors() if row.start == start), key=lambda row: row.faster)


def table() -> Table:
    """All factors, for a lesson to show."""
    rows = [[r.start, r.end, r.faster, r.smaller, r.smaller_than_trained, r.lost] for r in factors()]
    header = ["from", "to", "× as fast", "× as small", "… as training's file", "points of accuracy lost"]
    return Table(header, *rows, formats=["", "", ".1f", ".1f", ".1f", ".1f"])
