"""Make the file of TVM: ``build.py OUT_DIR`` writes ``v2.so``, the network for Linux on x86-64

For ink of one width. ``compiled`` is what the notebook uses for other processors.
"""

import sys
import warnings
from pathlib import Path

import torch
import tvm
from torch import nn
from tvm import relax
from tvm.relax.frontend.torch import from_exported_program

from fsdl_deploy.targets import modules

COLUMNS = 276  # of ink: a card of 480 pixels, with the margin
PROCESSORS = {
    "x86-64": {"kind": "llvm", "mtriple": "x86_64-linux-gnu", "mcpu": "x86-64-v3"},
    "arm64": {"kind": "llvm", "mtriple": "aarch64-linux-gnu", "mcpu": "cortex-a76"},
    "RISC-V": {"kind": "llvm", "mtriple": "riscv64-linux-gnu", "mcpu": "generic-rv64"},
    "WebAssembly": {"kind": "llvm", "mtriple": "wasm32-unknown-unknown-wasm"},
}


def main() -> None:
    warnings.filterwarnings("ignore")
    graph = to_relax(modules.folded(), modules.example(COLUMNS))
    stripped = ["-Wl,--strip-all"]  # without the names that only a debugger reads: a fifth of the bytes
    compiled(graph, "x86-64").export_library(str(Path(sys.argv[1]) / "v2.so"), options=stripped)


def to_relax(module: nn.Module, example: torch.Tensor) -> tvm.IRModule:
    """A torch module in Relax, TVM's language for graphs, for inputs of the example's shape."""
    return from_exported_program(torch.export.export(module, (example,)), keep_params_as_input=False)


def compiled(graph: tvm.IRModule, processor: str) -> relax.VMExecutable:
    """Fuse the graph's operators, and compile them for one of PROCESSORS, without tuning."""
    target = tvm.target.Target(PROCESSORS[processor] | {"opt-level": 2})  # 3 unrolls more, for 53 kB of code
    return tvm.compile(relax.get_pipeline("zero")(graph), target=target)


if __name__ == "__main__":
    main()
