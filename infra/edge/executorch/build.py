"""Make the file of ExecuTorch: ``build.py OUT_DIR`` writes ``v2.pte``, for XNNPACK

It is the whole reader, for pictures of 64 rows and of 16 to 1,024 columns, in steps of 8.
"""

import logging
import sys
import warnings
from pathlib import Path

import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.exir import to_edge_transform_and_lower
from torch import nn
from torch.export import Dim, export

from fsdl_deploy.targets import modules

ROWS, COLUMNS, MOST = 64, 8, 1024  # of a picture: its rows, the step of its columns, and the most of them


def main() -> None:
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    out = Path(sys.argv[1])
    # With oneDNN torch takes another way for small inputs, and the export keeps the way of its example: the
    # program would then refuse other widths, and name no reason.
    with torch.backends.mkldnn.flags(enabled=False):
        (out / "v2.pte").write_bytes(lowered(modules.whole()))


def lowered(reader: nn.Module) -> bytes:
    """A program of ExecuTorch: what XNNPACK knows is handed to it, the rest runs in portable kernels."""
    pictures, widths = torch.zeros(1, ROWS, 224, dtype=torch.uint8), torch.tensor([224])
    columns = COLUMNS * Dim("columns", min=2, max=MOST // COLUMNS)
    exported = export(reader, (pictures, widths), dynamic_shapes=({2: columns}, None))
    return to_edge_transform_and_lower(exported, partitioner=[XnnpackPartitioner()]).to_executorch().buffer


if __name__ == "__main__":
    main()
