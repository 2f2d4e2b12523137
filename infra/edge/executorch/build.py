"""Make the files of ExecuTorch: ``build.py OUT_DIR`` writes ``v2.pte`` and ``v2-int8.pte``, for XNNPACK

Both are the whole reader, for pictures of 64 rows and of 16 to 1,024 columns, in steps of 8. In the int8 file
the network is quantized, with the ranges of cards written with training digits.
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

from fsdl_deploy.preprocess import HEIGHT, MARGIN, STEP
from fsdl_deploy.targets import card_files, modules

ROWS, COLUMNS, MOST = 64, 8, 1024  # of a picture: its rows, the step of its columns, and the most of them


def main() -> None:
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    out = Path(sys.argv[1])
    # With oneDNN torch takes another way for small inputs, and the export keeps the way of its example: the
    # program would then refuse other widths, and name no reason.
    with torch.backends.mkldnn.flags(enabled=False):
        reader = modules.whole()
        (out / "v2.pte").write_bytes(lowered(reader))
        reader.network = quantized(reader)
        (out / "v2-int8.pte").write_bytes(lowered(reader))


def lowered(reader: nn.Module) -> bytes:
    """A program of ExecuTorch: what XNNPACK knows is handed to it, the rest runs in portable kernels."""
    pictures, widths = torch.zeros(1, ROWS, 224, dtype=torch.uint8), torch.tensor([224])
    columns = COLUMNS * Dim("columns", min=2, max=MOST // COLUMNS)
    exported = export(reader, (pictures, widths), dynamic_shapes=({2: columns}, None))
    return to_edge_transform_and_lower(exported, partitioner=[XnnpackPartitioner()]).to_executorch().buffer


def quantized(reader: nn.Module) -> nn.Module:
    """The reader's network with its matrix work in int8, one scale for each channel of a layer."""
    config = get_symmetric_quantization_config(is_per_channel=True)
    quantizer = XNNPACKQuantizer().set_global(config)
    example = torch.randn(1, 1, HEIGHT, 112 + MARGIN), torch.tensor([112])
    columns = STEP * Dim("columns", min=11, max=(MOST // 2 + MARGIN) // STEP)
    network = export(reader.network, example, dynamic_shapes=({3: columns}, None)).module()
    observed = prepare_pt2e(network, quantizer)
    with torch.no_grad():
        for image in card_files.calibration():
            height, width = image.shape
            picture = np.full((1, height, -(-width // COLUMNS) * COLUMNS), 255, np.uint8)
            picture[0, :, :width] = image
            observed(*reader.preprocess(torch.from_numpy(picture), torch.tensor([width])))
    return convert_pt2e(observed)


if __name__ == "__main__":
    main()
