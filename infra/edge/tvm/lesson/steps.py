"""The steps that the notebook of TVM shows: ``steps.py STEP…`` prints one line of JSON"""

import json
import sys
import tempfile
import warnings
from pathlib import Path

import torch
from torch import nn
from torch.export import Dim

sys.path.insert(0, str(Path(__file__).parent.parent))
import build
from fsdl_deploy.models import Separable
from fsdl_deploy.targets import eight_bits

MACHINES = {62: "x86-64", 183: "arm64", 243: "RISC-V"}  # numbers of the ELF header (System V gABI)


def graph() -> dict:
    """A convolution and its activation in Relax, and the number of functions after fusing."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU()).eval()
    relax = build.to_relax(module, torch.randn(1, 1, 32, 148))
    lines = [line.strip() for line in relax.script(show_meta=False).splitlines()]
    return {"relax": "\n".join(line[:150] for line in lines if "R.nn" in line or "R.add" in line)}


def processors() -> dict:
    """A block of the network for each processor: what the object file's header says, its bytes."""
    relax = build.to_relax(Separable(16, 32).eval(), torch.randn(1, 16, 32, 148))
    rows = []
    for name in build.PROCESSORS:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "code.o"
            objects(build.compiled(relax, name)).write_to_file(str(file))
            code = file.read_bytes()
        rows.append([name, machine(code), len(code)])
    return {"rows": rows}


def in_8_bits() -> dict[str, int]:
    """Bytes of a layer, compiled with weights in float32 and in int8."""
    layers, example = eight_bits.both()
    sizes = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, layer in layers.items():
            file = Path(folder) / f"{name}.so"
            build.compiled(build.to_relax(layer, example), "x86-64").export_library(str(file))
            sizes[name] = file.stat().st_size
    return sizes


def objects(executable):
    """The module with the machine code, among those that an executable is made of."""
    modules = [executable.mod, *executable.mod.imports]
    return next(module for module in modules if module.kind in ("llvm", "static_library"))


def machine(code: bytes) -> str:
    """The processor that an object file says it is for."""
    if code[:4] == b"\0asm":
        return "WebAssembly"
    return (
        MACHINES.get(int.from_bytes(code[18:20], "little"), "another")
        if code[:4] == b"\x7fELF"
        else "unknown"
    )


def widths() -> dict:
    """A block whose width is open: its first line in Relax, and what the compiler says to it."""
    columns = 4 * Dim("columns", min=11, max=265)
    with torch.backends.mkldnn.flags(enabled=False):  # else the export keeps to the widths near the example's
        exported = torch.export.export(
            Separable(16, 32).eval(), (torch.randn(1, 16, 32, 148),), dynamic_shapes=({3: columns},)
        )
    graph = build.from_exported_program(exported, keep_params_as_input=False)
    first = next(line.strip() for line in graph.script(show_meta=False).splitlines() if "def main" in line)
    try:
        build.compiled(graph, "x86-64")
        return {"imported": first[:90], "message": ""}
    except Exception as problem:  # of whichever kind: the notebook shows what it says
        message = f"{type(problem).__name__}: {str(problem).strip().splitlines()[-1][:150]}"
        return {"imported": first[:90], "message": message}


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    steps = {"graph": graph, "processors": processors, "widths": widths, "in_8_bits": in_8_bits}
    print(json.dumps({step: steps[step]() for step in sys.argv[1:]}))
