"""``fsdl-deploy bench gpu``: the same predictions on this machine's cores and on its GPU, and what they cost.

Three models, from small to large: v2, the teacher, and BERT-base with messages of 16 words. ``gpu_sharing``
measures them, ``gpu_cost`` has the prices. models/gpu.json keeps a run. Without a GPU the processor is
measured, and a run with a GPU is not overwritten.
"""

from collections.abc import Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from fsdl_deploy import weights
from fsdl_deploy.measuring import records
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.optimization.gpu_cost import CORE_PRICE, GPU_PRICE, break_even, cost
from fsdl_deploy.optimization.gpu_sharing import BATCHES, WORDS, DeviceResult, gpu_name, measure, ways

FILE = "gpu.json"
MODELS = ("v2", "teacher", "BERT-base")


def table(
    rows: Sequence[DeviceResult], core_price: float = CORE_PRICE, gpu_price: float = GPU_PRICE
) -> Table:
    """The rows with the dollars for a million at full use, and what the GPU may cost."""
    header = [
        "model",
        "runtime",
        "device",
        "processes",
        "batch",
        "a second",
        "p50 ms",
        "MiB each",
        "a million",
    ]
    cells = [
        [row.model, row.runtime, row.device, row.processes, row.batch, row.per_second, row.p50, row.memory,
         cost(row, core_price, gpu_price)]
        for row in rows
    ]  # fmt: skip
    notes = [
        f"{model}: the GPU is cheaper while an hour of it costs less than {most:,.1f} of a core"
        for model in dict.fromkeys(row.model for row in rows)
        if (most := break_even(rows, model)) is not None
    ]
    prices = f"dollars for an hour: {core_price:g} a core, {gpu_price:g} the GPU (assumptions)"
    formats = ["", "", "", "d", "d", ",.0f", ".1f", ",.0f", ".3f"]
    return Table(header, *cells, formats=formats, caption=prices, notes=notes)


def recorded(models: Path | None = None) -> dict | None:
    """The run that models/gpu.json keeps, its rows as DeviceResult; None where there is no file."""
    file = (models or weights.folder()) / FILE
    if not file.exists():
        return None
    record = records.read(file)
    return record | {"rows": [DeviceResult(**row) for row in record["rows"]]}


def keep(rows: Sequence[DeviceResult], models: Path | None = None) -> str:
    """Write the run to models/gpu.json and say so; a run with a GPU is not replaced by one without."""
    device, before = gpu_name() if any(row.device == "cuda" for row in rows) else None, recorded(models)
    if not device and before and before["gpu"]:
        return f"models/{FILE} is a run with a GPU ({before['gpu']}, {before['date']}) and is left as it is"
    file = (models or weights.folder()) / FILE
    records.write(file, gpu=device, versions=versions(), words=WORDS, rows=list(rows))
    return f"written: models/{FILE}"


def versions() -> dict[str, str]:
    """Of the packages that decide."""
    installed = {}
    for name in ("torch", "onnxruntime", "onnxruntime-gpu"):
        try:
            installed[name] = version(name)
        except PackageNotFoundError:
            continue
    return installed


def add_arguments(parser) -> None:
    parser.add_argument(
        "--models", nargs="+", choices=MODELS, default=MODELS, help="models to measure (default: all)"
    )
    parser.add_argument(
        "--batches",
        nargs="+",
        type=int,
        choices=BATCHES,
        default=BATCHES,
        help="cards in a call (default: all)",
    )
    parser.add_argument("--rounds", type=int, default=3, help="rounds, each case once in each")
    parser.add_argument("--seconds", type=float, default=1.0, help="of a case in a round")
    parser.add_argument("--core-price", type=float, default=CORE_PRICE, help="dollars an hour")
    parser.add_argument("--gpu-price", type=float, default=GPU_PRICE, help="dollars an hour")


def main(args) -> int:
    if args.rounds < 1 or args.seconds <= 0 or args.core_price <= 0 or args.gpu_price <= 0:
        raise ValueError("--rounds must be at least 1, --seconds and the prices above 0")
    chosen, about = ways(args.models)
    print(about, flush=True)
    say = partial(print, flush=True)
    rows = measure(chosen, args.batches, args.rounds, args.seconds, say=say)
    print(table(rows, args.core_price, args.gpu_price))
    whole = set(args.models) == set(MODELS) and set(args.batches) == set(BATCHES)
    print(keep(rows) if whole else f"not all models and batches: models/{FILE} is left as it is")
    return 0
