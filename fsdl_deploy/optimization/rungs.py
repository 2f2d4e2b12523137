"""The rungs of the ladder: readers, each with one technique of the lecture more than the one before.

``make(kind)`` gives the Reader of a rung. The files that are not published (quantized, half precision) are
made from the published graphs into a folder, once for each graph. Knows nothing of processes or clocks: see
``ladder``.
"""

import hashlib
import tempfile
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import numpy as np

from fsdl_deploy import weights
from fsdl_deploy.cards import cards
from fsdl_deploy.picture import Image
from fsdl_deploy.reader import EvenReader, OnnxReader, TorchReader, pad, read_batches
from fsdl_deploy.reading import Reading

ESCALATED = 0.06  # share of the cards that a cascade hands on
SURE = 0.55  # below this confidence the first reader hands a card on, see ``threshold``
CALIBRATION = 128  # cards of training digits that show static quantization the ranges


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


class CascadeReader:
    """A cheap reader first; what it is not sure of, a dear one.

    ``sure``: confidence from which the first answer stands. ``share`` of the cards were handed on so far.
    """

    def __init__(self, first, second, sure: float = SURE):
        self.first, self.second, self.sure = first, second, sure
        self.model_version = f"{first.model_version}, then {second.model_version}"
        self._asked, self._handed_on = 0, 0

    @property
    def share(self) -> float:
        return self._handed_on / self._asked if self._asked else 0.0

    def read(self, images: Sequence[Image]) -> list[Reading]:
        """Read pictures uint8 ``[H, W]`` of any sizes; one Reading each, in order."""
        readings = list(self.first.read(images))
        unsure = [place for place, reading in enumerate(readings) if reading.confidence < self.sure]
        if unsure:
            for place, reading in zip(unsure, self.second.read([images[i] for i in unsure]), strict=True):
                readings[place] = reading
        self._asked, self._handed_on = self._asked + len(images), self._handed_on + len(unsure)
        return readings


def threshold(reader, count: int = 2000) -> float:
    """The confidence below which lies ESCALATED of typical cards: no truth is needed to choose it."""
    readings = reader.read([card.image for card in cards(count, "typical", seed=31)])
    return float(np.quantile([reading.confidence for reading in readings], ESCALATED))


def quantized(version: str, how: str, folder: Path) -> Path:
    """The graph of ``version`` in fewer bits: ``how`` is "dynamic", "static" or "float16".

    Dynamic: int8 weights of the matrix products, activations measured at each call. Static: int8 weights and
    activations of convolutions and matrix products, ranges from CALIBRATION cards (per channel; weights in 7
    bits, since the 8-bit products of processors without VNNI saturate). Float16: the weights in the file,
    which loses nothing, since published weights are rounded to float16 before the export: such a rung reads
    what the graph reads by construction. The rest of the graph stays float32.

    The file's name holds a digest of what it is made from and with: a new model, or another ONNX Runtime,
    gets a file of its own.
    """
    graph = weights.verified(f"{version}.onnx")
    made_from = hashlib.sha256(graph + metadata.version("onnxruntime").encode()).hexdigest()
    file = folder / f"{version}-{how}-{made_from[:12]}.onnx"
    if file.exists():
        return file
    folder.mkdir(parents=True, exist_ok=True)
    # Several workers may want it at once: each makes its own, and one of them stays.
    with tempfile.TemporaryDirectory(dir=folder) as own:
        source, made = Path(own) / "source.onnx", Path(own) / "made.onnx"
        source.write_bytes(graph)
        _halve(source, made) if how == "float16" else quantize(source, made, how)
        made.replace(file)
    return file


def _halve(source: Path, into: Path) -> None:
    """Weights as float16 in the file, cast to float32 when it is loaded.

    A processor computes no faster in half precision unless it has the instructions for it; few that serve do.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load(source)
    for place, tensor in enumerate(model.graph.initializer):
        if tensor.data_type == TensorProto.FLOAT and np.prod(tensor.dims) > 16:
            name = f"{tensor.name}-half"
            half = numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), name)
            cast = helper.make_node("Cast", [name], [tensor.name], f"cast-{place}", to=TensorProto.FLOAT)
            model.graph.node.insert(0, cast)
            tensor.CopyFrom(half)
    onnx.checker.check_model(model)
    onnx.save(model, into)


def quantize(source: Path, into: Path, how: str) -> None:
    import logging

    from onnxruntime import quantization as ort

    logging.getLogger().setLevel(logging.ERROR)
    prepared = into.with_name("prepared.onnx")
    ort.quant_pre_process(source, prepared, skip_symbolic_shape=True)
    if how == "dynamic":
        ort.quantize_dynamic(
            prepared, into, weight_type=ort.QuantType.QInt8, per_channel=True, op_types_to_quantize=["MatMul"]
        )
    else:

        class Cards(ort.CalibrationDataReader):
            def __init__(self):
                self.left = iter(
                    [pad([card.image]) for card in cards(CALIBRATION, "typical", "train", seed=3)]
                )

            def get_next(self):
                given = next(self.left, None)
                return None if given is None else {"pictures": given[0], "widths": given[1]}

        ort.quantize_static(
            prepared, into, Cards(), quant_format=ort.QuantFormat.QDQ, per_channel=True, reduce_range=True,
            activation_type=ort.QuantType.QUInt8, weight_type=ort.QuantType.QInt8,
            nodes_to_quantize=network_nodes(prepared),
        )  # fmt: skip


def network_nodes(file: Path) -> list[str]:
    """Names of the convolutions and matrix products of the network, without those that resize the picture."""
    import onnx

    graph = onnx.load(file).graph
    constants = {tensor.name for tensor in graph.initializer}
    return [
        node.name
        for node in graph.node
        if node.op_type in ("Conv", "MatMul", "Gemm") and any(name in constants for name in node.input)
    ]


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
        files = [published / f"{weights.EVEN}.onnx", published / "teacher.onnx"]
    elif how == "even":
        files = [published / f"{weights.EVEN}.onnx"]
    elif how in ("dynamic", "static", "float16"):
        files = [quantized(model, how, folder)]
    else:
        files = [published / f"{model}.{'safetensors' if in_torch(kind) else 'onnx'}"]
    return sum(file.stat().st_size for file in files) / 1024


def make(kind: str, folder: Path, longest: int = 0):
    """The Reader of a rung; ``folder`` keeps the files that are made.

    ``longest``: the widest of the cards to be read, in pixels, which a rung that pads is told. Raises
    ValueError where it is not told, or there is no such rung.
    """
    model, _, how = kind.partition(":")
    if model == "cascade":
        return CascadeReader(EvenReader(), OnnxReader("teacher"))
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
    if how == "even":
        return EvenReader()
    if how in ("dynamic", "static", "float16"):
        return FileReader(quantized(model, how, folder).read_bytes(), kind)
    if how == "graph":
        return FileReader(weights.verified(f"{model}.onnx"), kind, optimised=False)
    if how == "onnx":
        return OnnxReader(model)
    raise ValueError(f"there is no rung {kind!r}")
