"""ONNX export of a whole reader: pre- and post-processing are inside the graph.

Inputs ``pictures`` uint8 ``[N, H, W]`` and ``widths`` int64 ``[N]``, all three sizes free; outputs
``digits``, ``digit_confidence`` and ``confidence`` as ``ctc.best_path`` gives them.
"""

import contextlib
import io
import logging
from pathlib import Path

INPUTS = ["pictures", "widths"]
OUTPUTS = ["digits", "digit_confidence", "confidence"]


def export(reader, version: str, file: Path) -> None:
    """Write the torch MeterReader ``reader`` to ``file`` as ONNX, its version in the metadata."""
    import onnx
    import torch
    from torch.export import Dim

    # Two pictures of odd sizes: an example of one, or of round sizes, would fix them in the graph.
    example = (torch.randint(0, 256, (2, 50, 171), dtype=torch.uint8), torch.tensor([171, 90]))
    n, h, w = Dim("n", min=1, max=4096), Dim("h", min=8, max=8192), Dim("w", min=8, max=8192)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with contextlib.redirect_stdout(io.StringIO()):  # the exporter prints its progress
        program = torch.onnx.export(
            reader.eval(), example, dynamo=True, external_data=False, verbose=False, optimize=True,
            input_names=INPUTS, output_names=OUTPUTS, dynamic_shapes=({0: n, 1: h, 2: w}, {0: n}),
        )  # fmt: skip
    graph = program.model_proto
    for node in graph.graph.node:  # the exporter notes source files and lines: not the same on two machines
        node.ClearField("metadata_props")
        node.doc_string = ""
    del graph.metadata_props[:]
    graph.metadata_props.add(key="version", value=version)
    onnx.checker.check_model(graph)
    file.write_bytes(graph.SerializeToString(deterministic=True))
