"""`fsdl-deploy edge budget MODEL`: does a model fit the device? Bytes, ms, MiB, accuracy, with reasons

The requirement comes first: it stands in ``infra/edge/budget.toml``, and a model is measured against it. Ends
with status 1 if the model passes any line. Knows nothing of repositories; the ``gate`` does.
"""

import json
import math
import tempfile
import time
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from fsdl_deploy import weights
from fsdl_deploy.cards import cards
from fsdl_deploy.edge import limits, work
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.paths import ROOT
from fsdl_deploy.reader import pad, read_batches

FILE = ROOT / "infra" / "edge" / "budget.toml"
CARDS = 400
COUNTED = ("bytes", "compressed", "multiply_adds")
MEASURED = ("ms", "mebibytes", "right")
GROWTH = ("bytes", "multiply_adds")
BOUNDS = {  # of what may not be just any number from 0 up
    "slower": ("a number above 0", lambda value: value > 0),
    "right": ("a share from 0 to 1, such as 0.93", lambda value: 0 <= value <= 1),
}


class BudgetError(ValueError):
    """The budget is wrong, or the model is none; the message says what to do."""


@dataclass(frozen=True)
class Budget:
    """``most`` and ``least`` of each figure; ``growth``: the share by which one commit may add to it."""

    device: str
    slower: float
    most: dict[str, float]
    least: dict[str, float]
    growth: dict[str, float]


@dataclass(frozen=True)
class Line:
    """One figure of a model beside what it may be: ``fits``, or the ``reason`` why not."""

    figure: str
    value: float
    bound: float
    fits: bool
    reason: str = ""


def read(text: str, where: str = "the budget") -> Budget:
    """A budget from TOML. Raises BudgetError for one that is not whole: a missing line would allow
    anything.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BudgetError(f"{where} is not TOML: {error}") from None
    if unknown := sorted(document.keys() - {"device", "most", "least", "growth"}):
        raise BudgetError(f"{where}: unknown table [{unknown[0]}]")
    tables = {
        "most": (*COUNTED, "ms", "mebibytes"),
        "least": ("right",),
        "growth": GROWTH,
        "device": ("slower",),
    }
    for table, names in tables.items():
        if not isinstance(document.setdefault(table, {}), dict):
            raise BudgetError(f"{where}: {table} is a table of its own: write [{table}], and its lines below")
        for name in names:
            value = document[table].get(name)
            what, fits = BOUNDS.get(name, ("a number from 0 up", lambda value: value >= 0))
            if type(value) not in (int, float) or not (math.isfinite(value) and fits(value)):
                raise BudgetError(f"{where}: say in [{table}] {name} = {what}")
        if unknown := sorted(document[table].keys() - {*names, "name"}):
            raise BudgetError(f"{where}: [{table}] has an unknown {unknown[0]}")
    return Budget(
        str(document["device"].get("name", "the device")), document["device"]["slower"],
        document["most"], document["least"], document["growth"],
    )  # fmt: skip


def counted(graph: bytes) -> dict[str, float]:
    """The figures that need no clock: COUNTED, by name. Raises BudgetError for a file that is no reader."""
    try:
        of = work.of(graph)
    except work.WorkError as error:
        raise BudgetError(str(error)) from None
    return {"bytes": of.size, "compressed": of.compressed, "multiply_adds": of.multiply_adds}


def measured(graph: bytes, slower: float, count: int = CARDS, rounds: int = 5) -> dict[str, float]:
    """The figures that need a run: MEASURED, by name; ms are those of a device ``slower`` than this machine.

    The least of ``rounds`` of the same cards, since a busy machine only adds.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = 1, 1
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    deck = list(cards(count, "typical", seed=19))
    readings = read_batches(
        [card.image for card in deck],
        lambda pictures, widths: session.run(None, {"pictures": pictures, "widths": widths}),
        "",
    )
    feeds = [dict(zip(("pictures", "widths"), pad([card.image]), strict=True)) for card in deck[:20]]
    least = math.inf
    for _ in range(rounds):
        begin = time.perf_counter()
        for feed in feeds:
            session.run(None, feed)
        least = min(least, (time.perf_counter() - begin) / len(feeds))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.onnx"
        file.write_bytes(graph)
        peak = limits.run(file, [card.image for card in deck[:20]]).peak
    right = sum(reading.digits == card.truth for reading, card in zip(readings, deck, strict=True))
    return {"ms": 1000 * least * slower, "mebibytes": peak, "right": right / count}


def judged(figures: Mapping[str, float], budget: Budget) -> list[Line]:
    """Each figure beside its bound; figures that were not measured are left out."""
    lines = []
    for name, value in figures.items():
        if name in budget.least:
            bound, fits, how = budget.least[name], value >= budget.least[name], "below the least of"
        else:
            bound, fits, how = budget.most[name], value <= budget.most[name], "above the most of"
        reason = "" if fits else f"{name}: {_shown(name, value)} is {how} {_shown(name, bound)}"
        lines.append(Line(name, value, bound, fits, reason))
    return lines


def grown(figures: Mapping[str, float], before: Mapping[str, float], budget: Budget) -> list[str]:
    """The reasons why this model may not replace the one before: figures that grew by more than allowed."""
    reasons = []
    for name in GROWTH:
        by = figures[name] / before[name] - 1
        if by > budget.growth[name]:
            reasons.append(f"{name}: {by:.1%} more than before, {budget.growth[name]:.1%} are allowed")
    return reasons


def table(lines: list[Line]) -> Table:
    """The lines, for a terminal and for a lesson."""
    rows = [
        [line.figure, _shown(line.figure, line.value), _shown(line.figure, line.bound),
         "fits" if line.fits else "does not fit"]
        for line in lines
    ]  # fmt: skip
    return Table(["", "measured", "budget", ""], *rows)


def _shown(name: str, value: float) -> str:
    return f"{value:.1%}" if name == "right" else f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _graph(model: str) -> bytes:
    """The bytes of a model: a version on record, or a file."""
    if Path(model).suffix == ".onnx" or Path(model).exists():
        return Path(model).read_bytes()
    try:
        return weights.verified(f"{model}.onnx")
    except weights.WeightsError as error:
        raise BudgetError(f"{model!r} is neither a file nor a version on record: {error}") from None


def add_arguments(parser) -> None:
    parser.add_argument(
        "model", metavar="MODEL", nargs="?", default="v2", help="a version on record, or an ONNX file"
    )
    parser.add_argument("--budget", type=Path, default=FILE, metavar="FILE", help="the budget, in TOML")
    parser.add_argument("--cards", type=int, default=CARDS, help="cards for the accuracy")
    parser.add_argument("--counted", action="store_true", help="only the figures that need no clock")
    parser.add_argument("--json", action="store_true", help="print the lines as JSON")


def main(args) -> int:
    """Print each figure beside its bound; 1 and the reasons if one does not fit."""
    if args.cards < 1:
        raise BudgetError("--cards must be at least 1")
    budget = read(args.budget.read_text(encoding="utf-8"), str(args.budget))
    graph = _graph(args.model)
    figures = counted(graph)
    if not args.counted:
        figures |= measured(graph, budget.slower, args.cards)
    lines = judged(figures, budget)
    if args.json:
        print(json.dumps([asdict(line) for line in lines], indent=1))
    else:
        print(table(lines))
        for line in lines:
            if not line.fits:
                print(f"refused: {line.reason}")
    return 0 if all(line.fits for line in lines) else 1
