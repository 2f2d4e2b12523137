"""Carry the weights of ``v2`` to TensorFlow.js by hand: ``build.py OUT_DIR`` writes three precisions

A group of weights is a file of bytes and a JSON text that says what lies where, in the form of TensorFlow.js'
own converter. Each BatchNorm is folded into its convolution, and torch's axes are turned to those of
TensorFlow. With ``uint16`` and ``uint8`` a weight is a whole number of steps above its tensor's minimum; the
runtime makes floats of them while it loads.
"""

import json
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load

from fsdl_deploy import weights

EPSILON = 1e-5  # of torch's BatchNorm
CONVOLUTIONS = [
    "stem",
    *(f"blocks.{number}.{name}" for number in range(6) for name in ("depthwise", "pointwise")),
]


def main() -> None:
    out = Path(sys.argv[1])
    tensors = turned(load(weights.verified("v2.safetensors")))
    for precision in ("float32", "uint16", "uint8"):
        name = "v2" if precision == "float32" else f"v2-{precision}"
        stored = [stored_as(precision, key, tensor) for key, tensor in tensors.items()]
        (out / f"{name}.bin").write_bytes(b"".join(content for _, content in stored))
        group = {"paths": [f"{name}.bin"], "weights": [entry for entry, _ in stored]}
        (out / f"{name}.json").write_text(json.dumps([group]) + "\n", encoding="utf-8")


def turned(state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The network's weights, float32, by the names and in the shapes that ``network.js`` uses."""
    network = {key.removeprefix("network."): np.asarray(value, np.float32) for key, value in state.items()}
    tensors = {}
    for name in CONVOLUTIONS:
        kernel, bias = folded(network, name)
        order = (2, 3, 0, 1) if name.endswith("depthwise") else (2, 3, 1, 0)  # [h, w, in, out or 1]
        tensors |= {f"{name}.weight": kernel.transpose(order), f"{name}.bias": bias}
    collapse = network["collapse.weight"][:, :, :, 0].transpose(2, 1, 0)  # [4 rows, in, out]
    tensors |= {
        "collapse.weight": collapse.reshape(-1, collapse.shape[2]),
        "collapse.bias": network["collapse.bias"],
    }
    tensors |= {"context.weight": network["context.weight"][:, 0].T, "context.bias": network["context.bias"]}
    for name in ("mix", "head"):
        tensors |= {f"{name}.weight": network[f"{name}.weight"].T, f"{name}.bias": network[f"{name}.bias"]}
    return {name: np.ascontiguousarray(tensor, np.float32) for name, tensor in tensors.items()}


def folded(network: dict[str, np.ndarray], name: str) -> tuple[np.ndarray, np.ndarray]:
    """The kernel and the bias of a convolution with its BatchNorm folded in."""
    norm = {part: network[f"{name}.1.{part}"] for part in ("weight", "bias", "running_mean", "running_var")}
    factor = norm["weight"] / np.sqrt(norm["running_var"] + EPSILON)
    return network[f"{name}.0.weight"] * factor[:, None, None, None], norm["bias"] - norm[
        "running_mean"
    ] * factor


def stored_as(precision: str, name: str, tensor: np.ndarray) -> tuple[dict, bytes]:
    """A tensor's entry in the JSON text, and its bytes."""
    entry = {"name": name, "shape": list(tensor.shape), "dtype": "float32"}
    if precision == "float32":
        return entry, tensor.astype("<f4").tobytes()
    most = np.iinfo(precision).max
    low, high = float(min(0.0, tensor.min())), float(max(0.0, tensor.max()))
    scale = (high - low) / most or 1.0
    low = round(low / scale) * scale  # so that zero is a whole number of steps
    steps = np.clip(np.round((tensor - low) / scale), 0, most)
    entry["quantization"] = {"dtype": precision, "min": low, "scale": scale, "original_dtype": "float32"}
    return entry, steps.astype(np.dtype(precision).newbyteorder("<")).tobytes()


if __name__ == "__main__":
    main()
