"""The steps that the notebook of CoreML shows: ``steps.py STEP`` prints one line of JSON"""

import json
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

import coremltools as ct
import numpy as np
from coremltools.converters.mil.frontend.milproto.load import load as load_program

from fsdl_deploy.targets import modules

ARTIFACTS = Path(__file__).parents[4] / "models" / "edge" / "coreml"


def specification() -> dict:
    """What the kept file says of itself: input, output, operators, version, whether it can be updated."""
    spec = opened("v2.mlpackage.zip")[0]
    (ink,) = spec.description.input
    ranges = ink.type.multiArrayType.shapeRange.sizeRanges
    block = next(iter(next(iter(spec.mlProgram.functions.values())).block_specializations.values()))
    names = Counter(operation.type for operation in block.operations if operation.type != "const")
    return {
        "version": spec.specificationVersion,
        "input": [ink.name, [[size.lowerBound, size.upperBound] for size in ranges]],
        "outputs": [output.name for output in spec.description.output],
        "operators": dict(names.most_common()),
        "updatable": spec.isUpdatable,
    }


def weights() -> dict:
    """For each file: the layers' weights read back, and how far they are from torch's, as a share."""
    expected = [value.numpy() for name, value in modules.folded().state_dict().items() if value.ndim > 1]
    rows = []
    for name in ("v2", "v2-int8", "v2-4bit"):
        given = constants(*opened(f"{name}.mlpackage.zip"))
        apart = []
        for array in expected:
            alike = [other for other in given if other.size == array.size]
            apart.append(min(distance(array, other) for other in alike) if alike else 1.0)
        rows.append([name, len(apart), max(apart), (ARTIFACTS / f"{name}.mlpackage.zip").stat().st_size])
    return {"rows": rows}


def distance(array: np.ndarray, other: np.ndarray) -> float:
    """The largest difference, as a share of the largest weight of the layer."""
    return float(np.abs(array.reshape(-1) - other.astype(np.float32).reshape(-1)).max() / np.abs(array).max())


def constants(spec, folder: str) -> list[np.ndarray]:
    """All constants of a program, those in few bits as the numbers that they stand for."""
    program = load_program(spec, specification_version=spec.specificationVersion, file_weights_dir=folder)
    arrays = []
    for function in program.functions.values():
        for operation in function.operations:
            value = operation.outputs[0].val if operation.outputs else None
            if operation.op_type.startswith("constexpr"):
                value = operation.materialized_val_inference()
            if value is not None and np.ndim(value) > 1:
                arrays.append(np.asarray(value))
    return arrays


def opened(name: str) -> tuple:
    """The specification of a kept file, and the folder with its weights, kept until the program ends."""
    folder = tempfile.TemporaryDirectory()
    OPEN.append(folder)
    shutil.unpack_archive(ARTIFACTS / name, folder.name)
    (package,) = Path(folder.name).glob("*.mlpackage")
    model = ct.models.MLModel(str(package), skip_model_load=True)
    return model.get_spec(), model.weights_dir


OPEN: list[tempfile.TemporaryDirectory] = []

if __name__ == "__main__":
    print(json.dumps({"specification": specification, "weights": weights}[sys.argv[1]]()))
