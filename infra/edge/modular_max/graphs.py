"""Graphs for MAX: ``graphs.py NAME SECONDS`` compiles one and runs it, or says how far it came, as JSON.

``head``: one matrix product. ``network``: all of v2's network from the published weights, its BatchNorms
folded in; its convolutions are matrix products and sums of shifted pictures. ``convolution``: MAX's own
operator with constant weights, which does not compile here. Each runs in a process that is ended after so
many seconds, since a compilation cannot be interrupted.
"""

import argparse
import json
import multiprocessing
import os
import time
from pathlib import Path

import numpy as np
from max.dtype import DType
from max.graph import DeviceRef, Graph, TensorType, ops
from safetensors.numpy import load

from build import HOME, environ
from fsdl_deploy import weights

COLUMNS = 260  # of ink, its margin among them
EPSILON = 1e-5  # of BatchNorm
CPU = DeviceRef.CPU()
STRIDES = ((1, 1), (2, 2), (1, 1), (1, 1), (2, 1), (1, 1))


def constant(values: np.ndarray):
    return ops.constant(np.ascontiguousarray(values, np.float32), DType.float32, device=CPU)


def published() -> dict[str, np.ndarray]:
    """The network's published weights, float32, by their names."""
    loaded = load(weights.verified("v2.safetensors"))
    return {name.removeprefix("network."): values.astype(np.float32) for name, values in loaded.items()}


def folded(tensors: dict[str, np.ndarray], name: str) -> tuple[np.ndarray, np.ndarray]:
    """Weights and bias of a convolution with the BatchNorm behind it."""
    gain, shift, mean, variance = (
        tensors[f"{name}.1.{part}"] for part in ("weight", "bias", "running_mean", "running_var")
    )
    factor = gain / np.sqrt(variance + EPSILON)
    return tensors[f"{name}.0.weight"] * factor[:, None, None, None], shift - mean * factor


def depthwise(x, kernel: np.ndarray, bias: np.ndarray, stride=(1, 1), border=(1, 1, 1, 1)):
    """Each channel by itself, ``[1, H, W, C]``: a sum of the shifted picture, once for each weight."""
    _, height, width, _ = (int(size) for size in x.shape)
    rows, columns = kernel.shape[2:]
    tall = (height + border[0] + border[1] - rows) // stride[0] + 1
    wide = (width + border[2] + border[3] - columns) // stride[1] + 1
    x, parts = ops.pad(x, [0, 0, *border, 0, 0]), []
    for i in range(rows):
        for j in range(columns):
            lines = slice(i, i + (tall - 1) * stride[0] + 1, stride[0])
            dots = slice(j, j + (wide - 1) * stride[1] + 1, stride[1])
            parts.append(x[:, lines, dots, :] * constant(kernel[:, 0, i, j]))
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total + constant(bias)


def dense(x, kernel: np.ndarray, bias: np.ndarray):
    """A matrix product over the channels: kernel ``[out, in]``."""
    return x @ constant(kernel.T) + constant(bias)


def network() -> Graph:
    """Ink ``[1, 32, COLUMNS, 1]`` to logits ``[T, 11]``."""
    tensors, steps = published(), COLUMNS // 4
    with Graph("v2", input_types=[TensorType(DType.float32, (1, 32, COLUMNS, 1), device=CPU)]) as graph:
        x = ops.relu(depthwise(graph.inputs[0].tensor, *folded(tensors, "stem"), (2, 2)))
        for place, stride in enumerate(STRIDES):
            h = ops.relu(depthwise(x, *folded(tensors, f"blocks.{place}.depthwise"), stride))
            kernel, bias = folded(tensors, f"blocks.{place}.pointwise")
            h = dense(h, kernel[:, :, 0, 0], bias)
            x = ops.relu(x + h if kernel.shape[0] == kernel.shape[1] and stride == (1, 1) else h)
        x = ops.reshape(ops.permute(x, [0, 2, 1, 3]), (1, steps, 512))
        kernel = tensors["collapse.weight"][..., 0].transpose(0, 2, 1).reshape(128, 512)
        x = ops.reshape(ops.relu(dense(x, kernel, tensors["collapse.bias"])), (1, 1, steps, 128))
        context = tensors["context.weight"][:, :, None, :]
        x = x + depthwise(x, context, tensors["context.bias"], border=(0, 0, 2, 2))
        x = ops.reshape(x, (steps, 128))[: steps - 9]
        x = ops.relu(dense(x, tensors["mix.weight"], tensors["mix.bias"]))
        graph.output(dense(x, tensors["head.weight"], tensors["head.bias"]))
    return graph


def head() -> Graph:
    """Hidden ``[64, 128]`` to logits ``[64, 11]``: the network's last layer."""
    tensors = published()
    with Graph("head", input_types=[TensorType(DType.float32, (64, 128), device=CPU)]) as graph:
        graph.output(dense(graph.inputs[0].tensor, tensors["head.weight"], tensors["head.bias"]))
    return graph


def convolution() -> Graph:
    """One convolution by MAX's own operator, with constant weights."""
    with Graph("convolution", input_types=[TensorType(DType.float32, (1, 32, 64, 16), device=CPU)]) as graph:
        kernel = constant(np.ones((1, 1, 16, 32)))
        graph.output(ops.conv2d(graph.inputs[0].tensor, kernel))
    return graph


GRAPHS = {"head": head, "network": network, "convolution": convolution}


def attempt(name: str, pipe) -> None:
    """Compile and run a graph on ones; what happened goes into the pipe."""
    from max import engine

    graph, begin = GRAPHS[name](), time.perf_counter()
    try:
        model = engine.InferenceSession().load(graph)
    except (RuntimeError, ValueError) as error:
        lines = [line for line in f"{error.__cause__ or error}".splitlines() if "error:" in line]
        pipe.send({"refused": lines or [str(error)[:200]]})
        return
    report = {"seconds": time.perf_counter() - begin, "processor": time.process_time()}
    (kind,) = graph.input_types
    result = model.execute(np.ones([int(size) for size in kind.shape], np.float32))[0].to_numpy()
    pipe.send(report | {"output": np.asarray(result).tolist()})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("name", choices=GRAPHS)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--home", type=Path, default=HOME, help="where MAX keeps what it compiled")
    args = parser.parse_args()
    os.environ.update(environ(args.home))
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=attempt, args=(args.name, theirs))
    process.start()
    theirs.close()
    try:
        answer = ours.recv() if ours.poll(args.seconds) else {"ended_after": args.seconds}
    except EOFError:
        answer = {"refused": ["the process ended without an answer"]}
    process.kill()
    process.join()
    print(json.dumps({"graph": args.name} | answer))


if __name__ == "__main__":
    main()
