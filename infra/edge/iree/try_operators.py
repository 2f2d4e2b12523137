"""Operations one by one through IREE: to MLIR, down to machine code for this kind of processor, run"""

import iree.runtime
import iree.turbine.aot as aot
import numpy as np

import build
from fsdl_deploy.targets import probing_program


def convert(probe) -> bytes:
    return build.lower(str(aot.export(probe.exported()).mlir_module), "x86-64")


def run(module: bytes, inputs):
    context = iree.runtime.SystemContext(config=iree.runtime.Config("local-sync"))
    context.add_vm_module(iree.runtime.VmModule.copy_buffer(context.instance, module))
    answer = context.modules.module["main"](*map(np.ascontiguousarray, inputs))
    parts = answer if isinstance(answer, tuple | list) else [answer]
    return [np.array(part.to_host(), copy=True) for part in parts]


if __name__ == "__main__":
    probing_program.main(convert, run)
