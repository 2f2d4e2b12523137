"""Operations one by one through ExecuTorch: lowered for XNNPACK and portable kernels, run in its runtime"""

import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.exir import to_edge_transform_and_lower
from executorch.runtime import Runtime

from fsdl_deploy.targets import probing_program


def convert(probe) -> bytes:
    lowered = to_edge_transform_and_lower(probe.exported(), partitioner=[XnnpackPartitioner()])
    return lowered.to_executorch().buffer


def run(program: bytes, inputs):
    method = Runtime.get().load_program(program).load_method("forward")
    return [part.numpy() for part in method.execute([torch.from_numpy(part) for part in inputs])]


if __name__ == "__main__":
    probing_program.main(convert, run)
