"""The steps that the notebook of IREE shows: ``steps.py STEP…`` prints one line of JSON"""

import json
import re
import sys
import warnings
from pathlib import Path

import iree.compiler as compiler
import iree.runtime
import iree.turbine.aot as aot
import numpy as np
import torch
from torch import nn
from torch.export import Dim

sys.path.insert(0, str(Path(__file__).parent.parent))
import build
from fsdl_deploy.targets import eight_bits, modules

MACHINES = {62: "x86-64", 183: "arm64"}  # numbers of the ELF header (System V gABI)


def head() -> tuple[nn.Module, torch.Tensor]:
    """The last layer of the network, and an example for it."""
    return modules.bare().network.head, torch.randn(28, 128, generator=torch.Generator().manual_seed(0))


def levels() -> dict:
    """The layer in two dialects, and compiled: how far it is from torch; for each processor, what was asked
    for, what the header of its file says, and bytes.
    """
    layer, example = head()
    mlir = build.to_mlir(layer, example, {0: Dim("steps", min=2, max=265)})
    linalg = compiler.compile_str(mlir, extra_args=["--compile-to=input"]).decode()
    codes = {name: build.lower(mlir, name) for name in build.PROCESSORS}
    config = iree.runtime.Config("local-sync")
    context = iree.runtime.SystemContext(config=config)
    context.add_vm_module(iree.runtime.VmModule.copy_buffer(context.instance, codes["x86-64"]))
    answer = np.array(context.modules.module["main"](example.numpy()).to_host(), copy=True)
    apart = float(np.abs(answer - layer(example).detach().numpy()).max())
    rows = [[name, machine(code), len(code)] for name, code in codes.items()]
    texts = {"torch": shortened(mlir, "torch.aten"), "linalg": shortened(linalg, "linalg.")}
    return texts | {"rows": rows, "apart": apart}


def preparation() -> dict:
    """What the compiler says to the reader's preparation of a picture, and the line of MLIR that it names."""
    example = torch.zeros(1, 64, 224, dtype=torch.uint8), torch.tensor([224])
    columns = 8 * Dim("columns", min=2, max=128)
    exported = torch.export.export(modules.whole().preprocess, example, dynamic_shapes=({2: columns}, None))
    mlir = str(aot.export(exported).mlir_module)
    try:
        return {"message": "", "line": "", "bytes": len(build.lower(mlir, "x86-64"))}
    except compiler.CompilerToolError as problem:
        first = next(line for line in str(problem).splitlines() if "error:" in line)
        line = mlir.splitlines()[int(first.split(":")[1]) - 1].strip()
        return {"message": first[first.index("error:") :][:150], "line": line[:160], "bytes": 0}


def in_8_bits() -> dict[str, int]:
    """Bytes of a layer, compiled with weights in float32 and in int8."""
    layers, example = eight_bits.both()
    return {
        name: len(build.lower(build.to_mlir(layer, example, {}), "x86-64")) for name, layer in layers.items()
    }


def machine(code: bytes) -> str:
    """The processor that the ELF file within says it is for."""
    place = code.index(b"\x7fELF")
    return MACHINES[int.from_bytes(code[place + 18 : place + 20], "little")]


def shortened(mlir: str, word: str) -> str:
    """The lines that compute, without the weights' bytes and the places in the source."""
    lines = [line for line in mlir.splitlines() if word in line or "func @main" in line]
    lines = [re.sub(r" loc\(.*?\)|dense_resource<\S*>|dense<\"0x\w*\">", "", line) for line in lines]
    return "\n".join(line.strip()[:160] for line in lines[:12])


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    steps = {"levels": levels, "preparation": preparation, "in_8_bits": in_8_bits}
    print(json.dumps({step: steps[step]() for step in sys.argv[1:]}))
