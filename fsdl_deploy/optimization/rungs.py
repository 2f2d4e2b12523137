"""The rungs of the ladder: each has one technique of the lecture more than the one before.

``all_rungs`` says which there are, ``make(kind)`` gives the Reader of one. Knows nothing of processes or
clocks: see ``ladder``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fsdl_deploy import weights
from fsdl_deploy.measuring.machine import whole_cores
from fsdl_deploy.optimization.cascade import CascadeReader
from fsdl_deploy.optimization.quantization import quantized
from fsdl_deploy.picture import Image
from fsdl_deploy.reader import OnnxReader, TorchReader, pad, read_batches
from fsdl_deploy.reading import Reading

BATCH = 64


@dataclass(frozen=True)
class Rung:
    """``kind`` is that of ``make``; ``workers``: by default one a core; ``threads`` 0: the library's default;
    ``batch`` cards a call.

    ``cached``: on the month-end mix, each worker with a cache of its own; ``sticky``: all uploads of a card
    go to the same worker, else to any.
    """

    name: str
    kind: str
    workers: int = field(default_factory=whole_cores)
    threads: int = 1
    batch: int = 1
    cached: bool = False
    sticky: bool = False
    aside: bool = False


def all_rungs() -> tuple[Rung, ...]:
    """The ladder from the first rung to the last, for this machine's cores."""
    return (
        # Workers as gunicorn's documentation recommends, (2 × cores) + 1, each with torch's default threads.
        Rung("teacher, padded", "teacher:padded", workers=2 * whole_cores() + 1, threads=0),
        Rung("a worker a core, a thread each", "teacher:padded"),
        Rung("own width", "teacher:eager"),
        Rung("inference_mode", "teacher:torch"),
        Rung("torch.compile", "teacher:compiled", aside=True),
        Rung("int8, torch dynamic", "teacher:torch int8", aside=True),
        Rung("ONNX Runtime, graph as it is", "teacher:graph"),
        Rung("graph optimisations", "teacher:onnx"),
        Rung("float16", "teacher:float16", aside=True),
        Rung("int8, dynamic", "teacher:dynamic", aside=True),
        Rung("int8, static", "teacher:static", aside=True),
        Rung("distilled", "v2:onnx"),
        Rung("distilled, int8, static", "v2:static", aside=True),
        Rung(f"batches of {BATCH}", "v2:onnx", batch=BATCH),
        Rung("cascade: unsure cards to the teacher", "cascade", batch=BATCH),
        Rung("cache, month-end mix", "cascade", batch=BATCH, cached=True),
        Rung("same card, same worker", "cascade", batch=BATCH, cached=True, sticky=True),
    )


class EagerReader(TorchReader):
    """torch as a notebook leaves it: gradients are prepared for, one card a call.

    Each card is padded to ``width`` pixels; 0: not at all.
    """

    def __init__(self, version: str, width: int = 0):
        super().__init__(version)
        self.width = width

    def run(self, pictures: np.ndarray, widths: np.ndarray) -> Sequence[np.ndarray]:
        import torch

        outputs = self.module(torch.from_numpy(pictures), torch.from_numpy(widths))
        return [out.detach().numpy() for out in outputs]

    def read(self, images: Sequence[Image]) -> list[Reading]:
        """One Reading each, in order, one after the other."""
        readings = []
        for image in images:
            pictures, widths = pad([image], self.width)
            readings += read_batches(
                [image], lambda *_, p=pictures, w=widths: self.run(p, w), self.model_version
            )
        return readings


class FileReader(OnnxReader):
    """A graph that is not published, or one without ONNX Runtime's graph optimisations."""

    def __init__(self, graph: bytes, name: str, optimised: bool = True):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        if not optimised:
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        self.session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self.model_version = name


def in_torch(kind: str) -> bool:
    """Whether a rung of this kind runs in torch; else in ONNX Runtime."""
    return kind.partition(":")[2] in ("padded", "eager", "torch", "compiled", "torch int8")


def compiled(kind: str) -> bool:
    """Whether a rung of this kind is one of torch.compile."""
    return kind.endswith(":compiled")


def kibibytes(kind: str, folder: Path) -> float:
    """The size of the file, or files, that a rung of this kind loads; ``folder`` is that of ``make``.

    Published weights are rounded to float16. torch's file stores them so, in two bytes each; an ONNX file
    stores the same numbers as float32, in four. So a size says something within torch or within ONNX only.
    """
    model, _, how = kind.partition(":")
    published = weights.folder()
    if model == "cascade":
        files = [published / "v2.onnx", published / "teacher.onnx"]
    elif how in ("dynamic", "static", "float16"):
        files = [quantized(model, how, folder)]
    else:
        files = [published / f"{model}.{'safetensors' if in_torch(kind) else 'onnx'}"]
    return sum(file.stat().st_size for file in files) / 1024


def make(kind: str, folder: Path, longest: int = 0):
    """The Reader of a rung; ``folder`` keeps the files that are made.

    ``longest``: the widest of the cards to be read, in pixels, which a rung that pads needs. Raises
    ValueError where it is missing, or there is no such rung.
    """
    model, _, how = kind.partition(":")
    if model == "cascade":
        return CascadeReader(OnnxReader(), OnnxReader("teacher"))
    if how in ("eager", "padded"):
        if how == "padded" and not longest:
            raise ValueError(f"{kind} pads each card to the longest: say how wide that is")
        return EagerReader(model, longest if how == "padded" else 0)
    if how in ("torch", "compiled", "torch int8"):
        reader = TorchReader(model)
        if how == "compiled":
            import torch

            reader.module = torch.compile(reader.module, dynamic=True)
        if how == "torch int8":
            import torch

            reader.module = torch.ao.quantization.quantize_dynamic(reader.module, {torch.nn.Linear})
        return reader
    if how in ("dynamic", "static", "float16"):
        return FileReader(quantized(model, how, folder).read_bytes(), kind)
    if how == "graph":
        return FileReader(weights.verified(f"{model}.onnx"), kind, optimised=False)
    if how == "onnx":
        return OnnxReader(model)
    raise ValueError(f"there is no rung {kind!r}")
