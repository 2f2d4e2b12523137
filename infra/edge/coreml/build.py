"""Make the files of CoreML: ``build.py OUT_DIR`` writes zipped model packages of three precisions

``v2.mlpackage.zip`` has its weights in float16, ``v2-int8`` in 8 bits, ``v2-4bit`` as places in a table of 16
values for each layer (*palettized*). What they compute with is float16 in all of them.
"""

import shutil
import sys
import tempfile
import warnings
from pathlib import Path

import coremltools as ct
import torch
from coremltools.optimize import coreml as optimize
from torch.export import Dim

from fsdl_deploy.preprocess import STEP
from fsdl_deploy.targets import modules


def main() -> None:
    warnings.filterwarnings("ignore")
    model = converted()
    palette = optimize.OptimizationConfig(optimize.OpPalettizerConfig(mode="uniform", nbits=4))
    eight = optimize.OptimizationConfig(optimize.OpLinearQuantizerConfig(mode="linear_symmetric"))
    forms = {
        "v2": model,
        "v2-int8": optimize.linear_quantize_weights(model, eight),
        "v2-4bit": optimize.palettize_weights(model, palette),
    }
    for name, form in forms.items():
        with tempfile.TemporaryDirectory() as folder:
            form.save(str(Path(folder) / f"{name}.mlpackage"))
            archive = Path(sys.argv[1]) / f"{name}.mlpackage"
            shutil.make_archive(str(archive), "zip", folder)


def converted() -> ct.models.MLModel:
    """The network as an ML program, for ink of any width in steps of 4."""
    columns = STEP * Dim("columns", min=11, max=265)
    with torch.backends.mkldnn.flags(enabled=False):  # else the export keeps to the widths near the example's
        exported = torch.export.export(
            modules.folded(), (modules.example(148),), dynamic_shapes=({3: columns},)
        )
    return ct.convert(
        exported.run_decompositions({}),
        convert_to="mlprogram",
        minimum_deployment_target=ct.target.iOS17,
        outputs=[ct.TensorType(name="log_probabilities")],
    )


if __name__ == "__main__":
    main()
