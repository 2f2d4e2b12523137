"""Make the file of IREE: ``build.py OUT_DIR`` writes ``v2.vmfb``, the network as machine code for x86-64

The same MLIR compiles for other processors; ``lower`` in this file is what the notebook uses for that.
"""

import sys
import warnings
from pathlib import Path

import iree.compiler as compiler
import iree.turbine.aot as aot
import torch
from torch import nn
from torch.export import Dim

from fsdl_deploy.preprocess import STEP
from fsdl_deploy.targets import modules

PROCESSORS = {
    "x86-64": ("x86_64-unknown-linux-gnu", "x86-64-v3"),  # AVX2: processors since about 2013
    "arm64": ("aarch64-unknown-linux-gnu", "cortex-a76"),
}


def main() -> None:
    warnings.filterwarnings("ignore")
    columns = STEP * Dim("columns", min=11, max=265)
    mlir = to_mlir(modules.folded(), modules.example(148), {3: columns})
    (Path(sys.argv[1]) / "v2.vmfb").write_bytes(lower(mlir, "x86-64"))


def to_mlir(module: nn.Module, example: torch.Tensor, dynamic: dict) -> str:
    """A torch module as text in MLIR's dialect ``torch``, with the sizes of ``dynamic`` left open."""
    with torch.backends.mkldnn.flags(enabled=False):  # else the export keeps to the widths near the example's
        return str(aot.export(torch.export.export(module, (example,), dynamic_shapes=(dynamic,))).mlir_module)


def lower(mlir: str, processor: str) -> bytes:
    """Compile down to machine code for one of PROCESSORS, in a file that IREE's runtime loads."""
    triple, model = PROCESSORS[processor]
    options = ["--iree-hal-target-device=local", "--iree-hal-local-target-device-backends=llvm-cpu"]
    options += [f"--iree-llvmcpu-target-triple={triple}", f"--iree-llvmcpu-target-cpu={model}"]
    options += ["--iree-llvmcpu-debug-symbols=false"]  # which only a debugger reads
    return compiler.compile_str(mlir, extra_args=options)


if __name__ == "__main__":
    main()
