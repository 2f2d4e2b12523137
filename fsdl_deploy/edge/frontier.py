"""Accuracy and latency together: of every model in every place, which are worth choosing, and for which user

*Accuracy and latency both affect end-user experience*, says the lecture. A choice is worth making where no
other one is at least as accurate and as quick. Accuracies are those of the records; the times of the models
are measured on this machine, in turns.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fsdl_deploy import weights
from fsdl_deploy.cards import cards
from fsdl_deploy.edge import when
from fsdl_deploy.measuring import records
from fsdl_deploy.optimization.quantization import quantized
from fsdl_deploy.reader import OnnxReader, pad

INT8 = {"v2 int8": "v2", "teacher int8": "teacher"}
RUNGS = {
    "v2": "distilled",
    "v2 int8": "distilled, int8, static",
    "teacher": "graph optimisations",
    "teacher int8": "int8, static",
}


@dataclass(frozen=True)
class PlacedModel:
    """A model in a place ("here" on the device, "there" behind the link): ms of a card, share read right."""

    model: str
    place: str
    ms: float
    right: float


def accuracies() -> dict[str, float]:
    """Share of typical cards that each model reads right, by its name.

    All but ``v1`` are rungs of the ladder and stand in its record, with the same cards for each. ``v1`` is no
    rung: its share is that of the models' report, on as many other cards.
    """
    rungs = {rung["rung"]: rung for rung in records.read(weights.folder() / "ladder.json")["rungs"]}
    report = records.read(weights.folder() / "report.json")["measured"]
    shares = {name: rungs[rung]["right"] / rungs[rung]["cards"] for name, rung in RUNGS.items()}
    return {"v1": report["v1"]["typical"]["exact_match"]} | shares


def times(
    folder: Path, count: int = 20, rounds: int = 5, among: Sequence[str] = ("v1", *RUNGS)
) -> dict[str, float]:
    """Milliseconds a card of each model in ONNX Runtime on this machine, the least of ``rounds`` in turns.

    ``folder``: where int8 graphs are made, which takes seconds each the first time. ``among``: these models
    only.
    """
    import onnxruntime

    sessions = {name: OnnxReader(name).session for name in among if name not in INT8}
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = 1, 1
    for name in (name for name in among if name in INT8):
        file = quantized(INT8[name], "static", folder)
        sessions[name] = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    feeds = [
        dict(zip(("pictures", "widths"), pad([card.image]), strict=True)) for card in cards(count, seed=7)
    ]
    least = dict.fromkeys(sessions, float("inf"))
    for _ in range(rounds):
        for name, session in sessions.items():
            begin = time.perf_counter()
            for feed in feeds:
                session.run(None, feed)
            least[name] = min(least[name], 1000 * (time.perf_counter() - begin) / count)
    return least


def choices(
    models: Mapping[str, float], right: Mapping[str, float], round_trip: float, overhead: float, slower: float
) -> list[PlacedModel]:
    """Every model in both places, for a link of ``round_trip`` ms and a device ``slower`` than the server."""
    return [
        choice
        for name, ms in models.items()
        for choice in (
            PlacedModel(name, "here", when.here(ms, slower), right[name]),
            PlacedModel(name, "there", when.there(round_trip, ms, overhead), right[name]),
        )
    ]


def worth_choosing(among: Iterable[PlacedModel]) -> list[PlacedModel]:
    """Those that no other beats in one and equals in the other, the quickest first (the Pareto frontier)."""
    best: list[PlacedModel] = []
    for choice in sorted(among, key=lambda choice: (choice.ms, -choice.right)):
        if not best or choice.right > best[-1].right:
            best.append(choice)
    return best
