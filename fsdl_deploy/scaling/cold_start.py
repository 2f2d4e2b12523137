"""A cold start taken apart, in a process of its own

Python starts, modules are imported, the model is loaded, the first card is read; then a second one, which is
what a warm instance needs. The file cache of the machine is warm: the first start after a boot takes longer.
"""

import itertools
import json
import subprocess
import sys
import time
from dataclasses import dataclass, fields
from pathlib import Path

KINDS = ("onnx", "torch")


@dataclass(frozen=True)
class ColdStart:
    """Seconds: until Python runs our first line, of imports, of loading the model, of two readings."""

    python: float
    imports: float
    load: float
    first: float
    second: float

    @property
    def total(self) -> float:
        """Until the first answer."""
        return self.python + self.imports + self.load + self.first


def take_apart(
    kind: str = "onnx", version: str = "v2", package: Path | None = None, timeout: float = 300
) -> ColdStart:
    """Start a Python that reads a card by ONNX Runtime or torch, and say where the time went.

    ``package``: a folder with all that it imports, as in a cloud; None: what this Python has. Raises
    RuntimeError with what the process wrote if it fails.
    """
    if kind not in KINDS:
        raise ValueError(f"kind is one of {', '.join(KINDS)}, not {kind!r}")
    options = ["-I", "-S", "-B"] if package else []
    command = [sys.executable, *options, "-c", _PROGRAM, kind, version, str(package or "")]
    begin = time.time()
    process = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    if process.returncode:
        raise RuntimeError(f"the start by {kind} failed: {process.stderr.strip()[-1000:]}")
    moments = [begin, *json.loads(process.stdout)]
    spans = [after - before for before, after in itertools.pairwise(moments)]
    return ColdStart(*spans)


STEPS = tuple(field.name for field in fields(ColdStart))

_PROGRAM = """
import time
moments = [time.time()]
import sys
kind, version, package = sys.argv[1:]
if package:
    sys.path.insert(0, package)
import numpy
if kind == "torch":
    import torch
    torch.set_num_threads(1)
    import fsdl_deploy.models
else:
    import onnxruntime
from fsdl_deploy.picture import decode, encode
from fsdl_deploy.reader import OnnxReader, TorchReader
moments.append(time.time())
reader = (TorchReader if kind == "torch" else OnnxReader)(version)
moments.append(time.time())
card = decode(encode(numpy.full((32, 120), 255, numpy.uint8)))
for _ in range(2):
    reader.read([card])
    moments.append(time.time())
import json
print(json.dumps(moments))
"""
