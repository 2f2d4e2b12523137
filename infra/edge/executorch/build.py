"""Make the files of ExecuTorch, for XNNPACK: ``build.py OUT_DIR`` writes the whole reader, and int8

``v2.pte`` is the whole reader, for pictures of 64 rows and of 16 to 1,024 columns, in steps of 8.
``v2-int8.pte`` is the network alone, for ink of any columns in steps of 4.
"""

import logging
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (
    XNNPACKQuantizer,
    get_symmetric_quantization_config,
)
from executorch.exir import to_edge_transform_and_lower
from torch import nn
from torch.export import Dim, export
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

from fsdl_deploy.preprocess import STEP
from fsdl_deploy.targets import card_files, modules, plain

ROWS, COLUMNS, MOST = 64, 8, 1024  # of a picture: its rows, the step of its columns, and the most of them


def main() -> None:
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    out = Path(sys.argv[1])
    # With oneDNN torch takes another way for small inputs, and the export keeps the way of its example: the
    # program would then refuse other widths, and name no reason.
    with torch.backends.mkldnn.flags(enabled=False):
        (out / "v2.pte").write_bytes(lowered(modules.whole()))
        (out / "v2-int8.pte").write_bytes(quantized(modules.folded()))


def lowered(reader: nn.Module) -> bytes:
    """The whole reader in float32."""
    pictures, widths = torch.zeros(1, ROWS, 224, dtype=torch.uint8), torch.tensor([224])
    columns = COLUMNS * Dim("columns", min=2, max=MOST // COLUMNS)
    return program(export(reader, (pictures, widths), dynamic_shapes=({2: columns}, None)))


def quantized(network: nn.Module) -> bytes:
    """The network alone in static int8, by torch's own way (PT2E): the calibration cards show the ranges."""
    example, open_width = (modules.example(224),), ({3: STEP * Dim("columns", min=11, max=265)},)
    symmetric = get_symmetric_quantization_config(is_per_channel=True)
    graph = export(network, example, dynamic_shapes=open_width).module()
    prepared = prepare_pt2e(graph, XNNPACKQuantizer().set_global(symmetric))
    for image in card_files.calibration():
        ink, _ = plain.ink(image)
        prepared(torch.from_numpy(np.pad(ink, ((0, 0), (0, 0), (0, 0), (0, -ink.shape[3] % STEP)))))
    return program(export(convert_pt2e(prepared), example, dynamic_shapes=open_width))


def program(exported: torch.export.ExportedProgram) -> bytes:
    """A program of ExecuTorch: what XNNPACK knows is handed to it, the rest runs in portable kernels."""
    return to_edge_transform_and_lower(exported, partitioner=[XnnpackPartitioner()]).to_executorch().buffer


if __name__ == "__main__":
    main()
