"""Quantize an exported reader with the tools of this station: ``quantize.py SOURCE.onnx FOLDER HOW...``.

HOW: "optimum-dynamic", "optimum-static", "compressor-static" or "compressor-tuned". All get the same graph
(prepared by ONNX Runtime), the same nodes (those of the network, not those that resize the picture) and the
same calibration cards as ``fsdl_deploy.optimization.quantization.quantized``. With ``--everything`` the tool
chooses the nodes.
Writes ``FOLDER/HOW.onnx`` and prints one line of JSON for each.
"""

import argparse
import json
import os
import shutil
import tempfile
import time
from collections import Counter
from functools import cache
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"  # transformers, under Optimum

import numpy as np
import onnx
from onnxruntime import quantization as ort

from fsdl_deploy.cards import cards
from fsdl_deploy.optimization.quantization import CALIBRATION, network_nodes
from fsdl_deploy.optimization.rungs import FileReader
from fsdl_deploy.reader import pad

HOWS = ("optimum-dynamic", "optimum-static", "compressor-static", "compressor-tuned")


@cache
def calibration() -> list[dict[str, np.ndarray]]:
    """The inputs of one card each: pictures uint8 ``[1, H, W]`` and widths int64 ``[1]``."""
    padded = [pad([card.image]) for card in cards(CALIBRATION, "typical", "train", seed=3)]
    return [{"pictures": pictures, "widths": widths} for pictures, widths in padded]


def optimum(source: Path, into: Path, static: bool, nodes: list[str]) -> dict:
    """Optimum: a configuration, a calibration, and a quantizer around those of ONNX Runtime."""
    from optimum.onnxruntime import ORTQuantizer
    from optimum.onnxruntime.configuration import AutoCalibrationConfig, QuantizationConfig

    quantizer = ORTQuantizer.from_pretrained(source.parent, file_name=source.name)
    config = QuantizationConfig(
        is_static=static,
        format=ort.QuantFormat.QDQ if static else ort.QuantFormat.QOperator,
        mode=ort.QuantizationMode.QLinearOps if static else ort.QuantizationMode.IntegerOps,
        activations_dtype=ort.QuantType.QUInt8, weights_dtype=ort.QuantType.QInt8,
        per_channel=True, reduce_range=static, nodes_to_quantize=nodes,
        operators_to_quantize=["Conv", "MatMul", "Gemm"] if static else ["MatMul"],
    )  # fmt: skip
    ranges = None
    if static:
        # It wraps each value in a list, its batch: so it gets what lies in a batch of one.
        deck = [{name: value[0] for name, value in inputs.items()} for inputs in calibration()]
        how = AutoCalibrationConfig.minmax(Namable(deck))
        ranges = quantizer.fit(deck, how, source.parent / "augmented.onnx", config.operators_to_quantize)
    quantizer.quantize(config, into.parent, None, ranges)
    (into.parent / source.name).replace(into)
    return {}


class Namable(list):
    """A list with the names that Optimum asks a ``datasets.Dataset`` for."""

    info = type("Info", (), {"builder_name": "cards", "config_name": "typical"})
    split = "train"
    num_rows = property(len)


class CalibrationCards(ort.CalibrationDataReader):
    """The calibration cards one by one, and again from the start after ``rewind``."""

    def __init__(self):
        self.rewind()

    def rewind(self):
        self.left = iter(calibration())

    def get_next(self):
        return next(self.left, None)


def share(file: str, deck: list) -> float:
    """The share of the cards that a graph reads right."""
    reader = FileReader(file, "trial")  # by its path: its weights lie in a second file
    readings = reader.read([card.image for card in deck])
    right = [reading.digits == card.truth for reading, card in zip(readings, deck, strict=True)]
    return float(np.mean(right))


def compressor(source: Path, into: Path, tuned: bool, nodes: list[str], tolerated: float) -> dict:
    """Neural Compressor: one configuration, or several until one loses no more than is tolerated."""
    from onnx_neural_compressor.quantization import config, tuning
    from onnx_neural_compressor.quantization.quantize import quantize as compress
    from onnxruntime import GraphOptimizationLevel

    untouched = GraphOptimizationLevel.ORT_DISABLE_ALL  # the names of the nodes stay
    chosen = dict(
        calibration_data_reader=CalibrationCards(), quant_format=ort.QuantFormat.QDQ, reduce_range=True,
        op_types_to_quantize=["Conv", "MatMul", "Gemm"], nodes_to_quantize=nodes,
        calibration_sampling_size=CALIBRATION,
    )  # fmt: skip
    if not tuned:
        settings = config.StaticQuantConfig(per_channel=True, **chosen)
        compress(str(source), str(into), settings, optimization_level=untouched)
        return {}
    trials, deck = [], list(cards(200, "typical", "train", seed=5))

    def evaluated(file: str) -> float:
        trials.append(share(file, deck))
        return trials[-1]

    settings = config.StaticQuantConfig(per_channel=[False, True], **chosen)
    tuning_config = tuning.TuningConfig([settings], tolerable_loss=tolerated, max_trials=4)
    model = tuning.autotune(
        str(source),
        tuning_config,
        evaluated,
        calibration_data_reader=CalibrationCards(),
        optimization_level=untouched,
    )
    onnx.save(model, into)
    return {"trials": trials}


def quantize(how: str, source: Path, into: Path, everything: bool, tolerated: float) -> dict:
    """Quantize ``source`` in one way; what the tool did."""
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        prepared, quantized = Path(folder) / "prepared.onnx", Path(folder) / "out" / "quantized.onnx"
        quantized.parent.mkdir()
        ort.quant_pre_process(source, prepared, skip_symbolic_shape=True)
        nodes = [] if everything else network_nodes(prepared)
        tool, _, kind = how.partition("-")
        if tool == "optimum":
            report = optimum(prepared, quantized, kind == "static", nodes)
        else:
            report = compressor(prepared, quantized, kind == "tuned", nodes, tolerated)
        shutil.copyfile(quantized, into)
    count = Counter(node.op_type for node in onnx.load(into).graph.node)
    count = {name: count[name] for name in sorted(count) if "Quantize" in name or "Integer" in name}
    return {"how": how, "seconds": round(time.perf_counter() - begin, 1), "nodes": count} | report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("into", type=Path, help="a folder")
    parser.add_argument("how", nargs="+", choices=HOWS)
    parser.add_argument("--everything", action="store_true", help="let the tool choose the nodes")
    parser.add_argument("--tolerated", type=float, default=0.005, help="loss of accuracy (compressor-tuned)")
    args = parser.parse_args()
    for how in args.how:
        report = quantize(how, args.source, args.into / f"{how}.onnx", args.everything, args.tolerated)
        print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main()
