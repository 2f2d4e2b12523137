"""Several processes that share one GPU, and one that has it alone, measured beside this machine's cores.

Each process has its own copy of the model and its own CUDA context, which take memory, and the processes
compute in turns. On the processor there is one process a core, with one thread each. All are started, then
measured in turns with batches of each size: from pictures, or words, in this process's memory to the answer
in it, so the way to the GPU and back counts. No web server, no decoding of files. Knows nothing of prices.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from fsdl_deploy.measuring.machine import printed, whole_cores
from fsdl_deploy.running import workers

BATCHES = (1, 8, 64, 256)
SHARED = (1, 2, 4)  # processes on one GPU
MOST = 8  # processes on the processor; more give no new figure
WORDS = 16  # of a message for BERT


@dataclass(frozen=True)
class Way:
    """``runtime``: "onnx", "torch" or "float16" (torch in half precision); ``device``: "cpu" or "cuda"."""

    model: str
    runtime: str
    device: str


@dataclass
class DeviceResult:
    """``per_second``: predictions of all ``processes`` together. ``p50``: of a call of ``batch``, in ms.

    ``memory``: MiB of the GPU that one process takes before its first call; None where it is not known.
    """

    model: str
    runtime: str
    device: str
    processes: int
    batch: int
    per_second: float
    p50: float
    memory: float | None = None


def gpu_name() -> str | None:
    """The first GPU as its driver names it, with memory and driver; None where there is none."""
    line = printed(
        ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"], 20
    )
    if line:
        return line
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else None  # a container without the tool


def gpu_memory() -> float | None:
    """MiB in use on the first GPU."""
    line = printed(["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"], 20)
    return float(line) if line and line.isdigit() else None


def ways(models: Iterable[str]) -> tuple[list[Way], str]:
    """What can be measured here for ``models``, and a sentence about the GPU."""
    import onnxruntime
    import torch

    from fsdl_deploy.devices import CUDA

    models, device = list(models), gpu_name()
    possible = [Way(model, "torch" if model == "BERT-base" else "onnx", "cpu") for model in models]
    runtimes = ["torch"] if torch.cuda.is_available() else []
    runtimes += ["onnx"] if CUDA in onnxruntime.get_available_providers() else []
    if not device or not runtimes:
        use = "torch cannot use the GPU that is here (FSDL_TORCH_INDEX names an index with CUDA builds)"
        what = use if device else "no GPU is here"
        return possible, f"{what}: the processor alone is measured"
    for model in models:
        fitting = [runtime for runtime in runtimes if (model, runtime) != ("BERT-base", "onnx")]
        fitting += ["float16"] if "torch" in fitting and model == "BERT-base" else []
        possible += [Way(model, runtime, "cuda") for runtime in fitting]
    return possible, f"the GPU: {device}"


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
    except Exception as error:  # the parent says it; this process has nobody to say it to
        pipe.send(str(error) or type(error).__name__)
        return
    pipe.send(None)
    while True:
        batch, seconds = pipe.recv()
        took, cards, begin, place = [], 0, time.perf_counter(), 0
        while not cards or time.perf_counter() - begin < seconds:
            start = time.perf_counter()
            predict(place, batch)
            took.append(1000 * (time.perf_counter() - start))
            cards, place = cards + batch, (place + batch) % max(BATCHES)
        pipe.send((cards / (time.perf_counter() - begin), took))


def measure(
    chosen: Sequence[Way], batches: Sequence[int] = BATCHES, rounds: int = 3, seconds: float = 1.0,
    processes: int | None = None, say: Callable[[str], None] = lambda _: None,
) -> list[DeviceResult]:  # fmt: skip
    """Measure in turns, ``rounds`` times for ``seconds``, after a round that warms up and is not counted.

    ``processes``: on the processor; by default one a core, MOST at most. ``batches`` divide 256. A way on
    the GPU that does not start is left out, and ``say`` gets the reason; one on the processor raises
    RuntimeError.
    """
    processes = processes or min(MOST, whole_cores())
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
        workers.end(worker for several in started.values() for worker in several)


def _rounds(started: dict, memory: dict, batches, rounds: int, seconds: float, say) -> list[DeviceResult]:
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
            answers = [pipe.recv() for pipe in pipes]
            if turn:
                rates[case].append(sum(rate for rate, _ in answers))
                took[case] += [ms for _, calls in answers for ms in calls]
    return [
        DeviceResult(
            way.model, way.runtime, way.device, count, batch,
            median(rates[way, count, batch]), median(took[way, count, batch]), memory.get(way),
        )
        for way, count, batch in cases
    ]  # fmt: skip
