"""Devices that update by python-tuf, and what a difference between two models weighs: both run in the station
``tuf``

The programs are ``infra/edge/tuf/trial.py`` and ``infra/edge/tuf/deltas.py``; here is what they are asked.
"""

import json
import subprocess
import tempfile
from pathlib import Path

from fsdl_deploy import weights
from fsdl_deploy.running import stations

STATION = "tuf"
HEAD = "network.head.bias"  # in the exported graph


def attack_device(models: tuple[str, str] = ("v1", "v2")) -> list[dict]:
    """Play every attack of ``attack_list`` on a device; ``models`` on record are published in turns.

    A dict for each step: ``step``, ``answer``, ``message``, ``before``, ``after`` and ``milliseconds``.
    Raises StationError where the station is not built, RuntimeError with the end of its log where it fails.
    """
    return _ask("trial.py", *(weights.folder() / f"{name}.onnx" for name in models))


def deltas() -> list[dict]:
    """What an update weighs whole, packed and as a difference, for three kinds of change, each undone again.

    A dict for each: ``change``, ``whole``, ``zstd``, ``bsdiff``, ``zstd_patch`` in bytes. Raises as above.
    """
    with tempfile.TemporaryDirectory() as folder:
        changed = Path(folder) / "head.onnx"
        changed.write_bytes(_other_head(weights.verified("v2.onnx")))
        v1, v2, bad = (weights.folder() / f"{name}.onnx" for name in ("v1", "v2", "v3-bad"))
        pairs = {
            "all weights, trained anew": (v1, v2),
            "the graph, same weights": (v2, bad),
            "the last layer's bias": (v2, changed),
        }
        words = [word for change, pair in pairs.items() for word in (change, *pair)]
        return _ask("deltas.py", *words)


def _other_head(model: bytes) -> bytes:
    """The same model with other numbers in the bias of its last layer."""
    import numpy as np
    import onnx

    graph = onnx.load_from_string(model)
    (bias,) = (tensor for tensor in graph.graph.initializer if tensor.name == HEAD)
    array = onnx.numpy_helper.to_array(bias)
    other = (array + np.random.default_rng(0).normal(0, 0.01, array.shape)).astype(array.dtype)
    bias.CopyFrom(onnx.numpy_helper.from_array(other, HEAD))
    return graph.SerializeToString()


def _ask(program: str, *words: str | Path) -> list[dict]:
    station = stations.station(STATION)
    command = [station.python, station.folder / program, *words]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if result.returncode:
        raise RuntimeError(f"{program} failed: {result.stderr.strip()[-800:]}")
    return [json.loads(line) for line in result.stdout.splitlines()]
