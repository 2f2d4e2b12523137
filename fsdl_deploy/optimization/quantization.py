"""Post-training quantization: a published graph in fewer bits, by ONNX Runtime's own quantizer.

The files are made into a folder, once for each graph. What rounding in the training adds, ``qat`` measures.
"""

import hashlib
import tempfile
from importlib import metadata
from pathlib import Path

import numpy as np

from fsdl_deploy import weights
from fsdl_deploy.cards import cards
from fsdl_deploy.reader import pad

CALIBRATION = 128  # cards of training digits that show static quantization the ranges


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
        source, target = Path(own) / "source.onnx", Path(own) / "target.onnx"
        source.write_bytes(graph)
        _halve(source, target) if how == "float16" else quantize(source, target, how)
        target.replace(file)
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


def quantize(source: Path, into: Path, how: str, reduce_range: bool = True) -> None:
    """Write the graph of ``source`` in int8; ``how`` is "dynamic" or "static", as for ``quantized``.

    ``reduce_range``: static weights in 7 bits, which no processor's products saturate; else in all 8.
    """
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
                card = next(self.left, None)
                return None if card is None else dict(zip(("pictures", "widths"), card, strict=True))

        ort.quantize_static(
            prepared, into, Cards(), quant_format=ort.QuantFormat.QDQ, per_channel=True,
            reduce_range=reduce_range, activation_type=ort.QuantType.QUInt8,
            weight_type=ort.QuantType.QInt8, nodes_to_quantize=network_nodes(prepared),
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
