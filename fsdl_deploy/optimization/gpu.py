"""GPU or no GPU: the same predictions on this machine's cores and on its GPU, and what a million cost.

Three models, from small to large: v2, the teacher, and BERT-base with messages of 16 words. On the processor
one process a core with one thread each; on the GPU one process, or several that share it. All are started,
then measured in turns with batches of each size: from pictures, or words, in this process's memory to the
answer in it, so the way to the GPU and back counts. No web server, no decoding of files.

models/gpu.json keeps a run. Without a GPU the processor is measured, and a run with a GPU is not overwritten.
The prices of an hour are assumptions: give your provider's.
"""

import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

import numpy as np

from fsdl_deploy import weights
from fsdl_deploy.measuring.machine import described, printed, usable_cores
from fsdl_deploy.running import workers

FILE = "gpu.json"
MODELS = ("v2", "teacher", "BERT-base")
BATCHES = (1, 8, 64, 256)
SHARED = (1, 2, 4)  # processes on one GPU
PROCESSES = max(1, min(8, round(usable_cores())))  # on the processor; more tell nothing new
WORDS = 16  # of a message for BERT
CORE_PRICE, GPU_PRICE = 0.05, 1.00
"""Dollars for an hour of a core, and of a GPU with the machine around it: assumptions, not offers."""


@dataclass(frozen=True)
class Way:
    """``runtime``: "onnx", "torch" or "float16" (torch in half precision); ``device``: "cpu" or "cuda"."""

    model: str
    runtime: str
    device: str


@dataclass
class Row:
    """``per_second``: predictions of all ``processes`` together. ``p50``: of a call of ``batch``, in ms.

    ``memory``: MiB of the GPU that one process takes before its first call; None where it cannot be told.
    """

    model: str
    runtime: str
    device: str
    processes: int
    batch: int
    per_second: float
    p50: float
    memory: float | None = None


def gpu() -> str | None:
    """The first GPU as its driver names it, with memory and driver; None where there is none."""
    said = printed(
        ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"], 20
    )
    if said:
        return said
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else None  # a container without the tool


def gpu_memory() -> float | None:
    """MiB in use on the first GPU."""
    said = printed(["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"], 20)
    return float(said) if said and said.isdigit() else None


def ways(models: Iterable[str]) -> tuple[list[Way], str]:
    """What can be measured here for ``models``, and a sentence about the GPU."""
    import onnxruntime
    import torch

    from fsdl_deploy.devices import CUDA

    models, device = list(models), gpu()
    found = [Way(model, "torch" if model == "BERT-base" else "onnx", "cpu") for model in models]
    runtimes = ["torch"] if torch.cuda.is_available() else []
    runtimes += ["onnx"] if CUDA in onnxruntime.get_available_providers() else []
    if not device or not runtimes:
        use = "torch cannot use the GPU that is here (FSDL_TORCH_INDEX names an index with CUDA builds)"
        what = use if device else "no GPU is here"
        return found, f"{what}: the processor alone is measured"
    for model in models:
        of = [one for one in runtimes if (model, one) != ("BERT-base", "onnx")]
        of += ["float16"] if "torch" in of and model == "BERT-base" else []
        found += [Way(model, one, "cuda") for one in of]
    return found, f"the GPU: {device}"


def _predictor(way: Way) -> Callable[[int, int], object]:
    """A function of (place, batch) that predicts for the ``batch`` inputs at ``place``."""
    if way.model == "BERT-base":
        import torch

        from fsdl_deploy.optimization.bert import WORDS as KNOWN
        from fsdl_deploy.optimization.bert import Bert

        model = Bert().to(way.device)
        model = model.half() if way.runtime == "float16" else model
        messages = torch.from_numpy(np.random.default_rng(0).integers(0, KNOWN, (max(BATCHES), WORDS)))

        def answer(place: int, batch: int) -> np.ndarray:
            with torch.inference_mode():
                return model(messages[place : place + batch].to(way.device)).cpu().numpy()

        return answer
    from fsdl_deploy.cards import cards
    from fsdl_deploy.reader import OnnxReader, TorchReader, read_batches

    make = OnnxReader if way.runtime == "onnx" else TorchReader
    reader = make(way.model, device=way.device)
    deck = sorted((card.image for card in cards(max(BATCHES), "typical", seed=43)), key=np.shape)
    return lambda place, batch: read_batches(deck[place : place + batch], reader.run, way.model, size=batch)


def _worker(way: Way, pipe) -> None:
    """One process: makes its model, then measures (batch, seconds) as the pipe says."""
    try:
        if way.runtime != "onnx":
            import torch

            torch.set_num_threads(1)
        predict = _predictor(way)
    except Exception as error:  # the parent says it; this process has nobody to tell
        pipe.send(str(error) or type(error).__name__)
        return
    pipe.send(None)
    while True:
        batch, seconds = pipe.recv()
        took, done, begin, place = [], 0, time.perf_counter(), 0
        while not done or time.perf_counter() - begin < seconds:
            start = time.perf_counter()
            predict(place, batch)
            took.append(1000 * (time.perf_counter() - start))
            done, place = done + batch, (place + batch) % max(BATCHES)
        pipe.send((done / (time.perf_counter() - begin), took))


def measure(
    chosen: Sequence[Way], batches: Sequence[int] = BATCHES, rounds: int = 3, seconds: float = 1.0,
    processes: int = PROCESSES, say: Callable[[str], None] = lambda _: None,
) -> list[Row]:  # fmt: skip
    """Measure in turns, ``rounds`` times for ``seconds``, after a round that warms up and is not counted.

    A way on the GPU that does not start is left out, and ``say`` gets the reason; one on the processor raises
    RuntimeError. ``batches`` divide 256.
    """
    started: dict[Way, list[workers.Worker]] = {}
    memory: dict[Way, float] = {}
    try:
        for way in chosen:
            say(f"starting: {way.model}, {way.runtime}, {way.device}")
            # float16 and ONNX Runtime share a GPU as torch does: once is enough.
            count = processes if way.device == "cpu" else max(SHARED) if way.runtime == "torch" else 1
            before, started[way] = gpu_memory() if way.device == "cuda" else None, []
            for _ in range(count):
                started[way].append(workers.start(_worker, way))
            problems = [problem for _, pipe in started[way] if (problem := pipe.recv())]
            if before is not None and (after := gpu_memory()) is not None:
                memory[way] = (after - before) / count
            if problems and way.device == "cpu":
                raise RuntimeError(f"{way.model} does not run here: {problems[0]}")
            if problems:
                say(f"left out: {problems[0]}")
                workers.end(started.pop(way))
        return _rounds(started, memory, batches, rounds, seconds, say)
    finally:
        workers.end(one for several in started.values() for one in several)


def _rounds(started: dict, memory: dict, batches, rounds: int, seconds: float, say) -> list[Row]:
    cases = [
        (way, count, batch)
        for way, several in started.items()
        for count in ([n for n in SHARED if n <= len(several)] if way.device == "cuda" else [len(several)])
        for batch in batches
    ]
    rates: dict[tuple, list[float]] = {case: [] for case in cases}
    took: dict[tuple, list[float]] = {case: [] for case in cases}
    for turn in range(rounds + 1):
        for case in cases:
            way, count, batch = case
            say(f"round {turn} of {rounds}: {way.model}, {way.runtime}, {way.device}, {count} × {batch}")
            pipes = [pipe for _, pipe in started[way][:count]]
            for pipe in pipes:
                pipe.send((batch, seconds))
            told = [pipe.recv() for pipe in pipes]
            if turn:
                rates[case].append(sum(rate for rate, _ in told))
                took[case] += [ms for _, calls in told for ms in calls]
    return [
        Row(
            way.model, way.runtime, way.device, count, batch,
            median(rates[way, count, batch]), median(took[way, count, batch]), memory.get(way),
        )
        for way, count, batch in cases
    ]  # fmt: skip


def per_million(per_second: float, price: float, used: float = 1.0) -> float:
    """Dollars for a million predictions: ``price`` of an hour, ``used`` the share of the hour with work."""
    return 1e6 / (per_second * used) / 3600 * price


def cost(row: Row, core_price: float = CORE_PRICE, gpu_price: float = GPU_PRICE, used: float = 1.0) -> float:
    """Dollars for a million predictions of ``row``; each of its processes on the processor has a core."""
    return per_million(
        row.per_second, gpu_price if row.device == "cuda" else row.processes * core_price, used
    )


def break_even(rows: Iterable[Row], model: str) -> float | None:
    """How many hours of a core an hour of the GPU may cost, both busy with ``model`` in their best way.

    Above that the processor is cheaper. It does not depend on any price. None without a row of the GPU.
    """
    best = {"cpu": 0.0, "cuda": 0.0}
    for row in rows:
        if row.model == model:
            rate = row.per_second / (row.processes if row.device == "cpu" else 1)
            best[row.device] = max(best[row.device], rate)
    return best["cuda"] / best["cpu"] if best["cuda"] and best["cpu"] else None


def table(rows: Sequence[Row], core_price: float = CORE_PRICE, gpu_price: float = GPU_PRICE) -> str:
    """The rows as text, with the dollars for a million at full use, and what the GPU may cost."""
    lines = [
        f"dollars for an hour: {core_price:g} a core, {gpu_price:g} the GPU (assumptions)",
        f"{'model':10} {'runtime':8} {'device':6} {'processes':>9} {'batch':>5} {'a second':>9} "
        f"{'p50 ms':>8} {'MiB each':>8} {'a million':>9}",
    ]
    for row in rows:
        dollars = cost(row, core_price, gpu_price)
        memory = "" if row.memory is None else f"{row.memory:,.0f}"
        lines.append(
            f"{row.model:10} {row.runtime:8} {row.device:6} {row.processes:9} {row.batch:5} "
            f"{row.per_second:9,.0f} {row.p50:8.1f} {memory:>8} {dollars:9.3f}"
        )
    for model in dict.fromkeys(row.model for row in rows):
        if (most := break_even(rows, model)) is not None:
            lines.append(
                f"{model}: the GPU is cheaper while an hour of it costs less than {most:,.1f} of a core"
            )
    return "\n".join(lines)


def recorded(models: Path | None = None) -> dict | None:
    """The run that models/gpu.json keeps, its rows as Row; None where there is no file."""
    file = (models or weights.folder()) / FILE
    if not file.exists():
        return None
    told = json.loads(file.read_text())
    return told | {"rows": [Row(**row) for row in told["rows"]]}


def keep(rows: Sequence[Row], models: Path | None = None) -> str:
    """Write the run to models/gpu.json and say so; a run with a GPU is not replaced by one without."""
    device, before = gpu() if any(row.device == "cuda" for row in rows) else None, recorded(models)
    if not device and before and before["gpu"]:
        return (
            f"models/{FILE} holds a run with a GPU ({before['gpu']}, {before['date']}) and is left as it is"
        )
    told = {"date": date.today().isoformat(), "machine": described(), "gpu": device, "versions": versions()}
    told |= {"words": WORDS, "rows": [asdict(row) for row in rows]}
    ((models or weights.folder()) / FILE).write_text(json.dumps(told, indent=1) + "\n")
    return f"written: models/{FILE}"


def versions() -> dict[str, str]:
    """Of the packages that decide."""
    found = {}
    for name in ("torch", "onnxruntime", "onnxruntime-gpu"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def add_arguments(parser) -> None:
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS, help="default: all")
    parser.add_argument(
        "--batches", nargs="+", type=int, choices=BATCHES, default=BATCHES, help="default: all"
    )
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=1.0, help="of a case in a round (default: 1)")
    parser.add_argument(
        "--core-price", type=float, default=CORE_PRICE, help="dollars an hour (default: 0.05)"
    )
    parser.add_argument("--gpu-price", type=float, default=GPU_PRICE, help="dollars an hour (default: 1)")


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
