"""Operations one by one through TVM: to Relax, compiled for this kind of processor, run in its machine"""

import tvm
from tvm import relax
from tvm.relax.frontend.torch import from_exported_program

import build
from fsdl_deploy.targets import probing_program


def convert(probe) -> relax.VMExecutable:
    return build.compiled(from_exported_program(probe.exported(), keep_params_as_input=False), "x86-64")


def run(program: relax.VMExecutable, inputs):
    answer = relax.VirtualMachine(program, tvm.cpu())["main"](*map(tvm.runtime.tensor, inputs))
    parts = [answer] if isinstance(answer, tvm.runtime.Tensor) else list(answer)
    return [part.numpy() for part in parts]


if __name__ == "__main__":
    probing_program.main(convert, run)
