"""The steps that the notebook of ExecuTorch shows: ``steps.py STEP…`` prints one line of JSON"""

import json
import logging
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path

import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.exir import to_edge_transform_and_lower
from executorch.runtime import Runtime
from torch import nn
from torch.export import Dim, export

from fsdl_deploy.models import Separable

COLUMNS = 148


class Columns(nn.Module):
    """A block of the reader's network, and the sum of each column's ink: small, and not all XNNPACK's."""

    def __init__(self):
        super().__init__()
        self.block = Separable(16, 32).eval()

    def forward(self, ink: torch.Tensor) -> torch.Tensor:
        return self.block(ink).sum(2).cumsum(2)


class Scattered(nn.Module):
    """The highest value of the steps that share a place."""

    def forward(self, values: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        return torch.zeros_like(values).scatter_reduce(1, places, values, "amax")


def lowered(module: nn.Module, channels: int):
    """Export with columns in steps of 4, and hand XNNPACK what it knows."""
    example = torch.randn(1, channels, 32, COLUMNS)
    columns = 4 * Dim("columns", min=11, max=265)
    exported = export(module, (example,), dynamic_shapes=({3: columns},))
    return exported, to_edge_transform_and_lower(exported, partitioner=[XnnpackPartitioner()])


def operators() -> dict:
    """What stands in the graph of a block before and after it is lowered."""
    with torch.backends.mkldnn.flags(enabled=False):
        exported, program = lowered(Columns(), 16)
    return {"exported": called(exported), "lowered": called(program.exported_program())}


def called(exported) -> dict[str, int]:
    names = [getattr(node.target, "__name__", str(node.target)) for node in exported.graph.nodes
             if node.op == "call_function"]  # fmt: skip
    return dict(Counter(name.removesuffix(".default") for name in names if name != "getitem"))


def missing() -> dict:
    """A module with *scatter*, as the reader's decoding once was: does it convert, and does it load?"""
    values, places = torch.rand(1, 28), torch.zeros(1, 28, dtype=torch.int64)
    exported = export(Scattered(), (values, places))
    program = to_edge_transform_and_lower(exported, partitioner=[XnnpackPartitioner()]).to_executorch()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "program.pte"
        file.write_bytes(program.buffer)
        try:
            Runtime.get().load_program(file).load_method("forward")
            error = ""
        except RuntimeError as problem:
            error = str(problem)
    return {"bytes": len(program.buffer), "error": error}


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    steps = {"operators": operators, "missing": missing}
    print(json.dumps({step: steps[step]() for step in sys.argv[1:]}))
