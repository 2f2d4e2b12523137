"""Read cards with CoreML, on a Mac: elsewhere there is no CoreML"""

import shutil
import sys
import tempfile
from pathlib import Path

import coremltools as ct
import numpy as np

from fsdl_deploy.targets import reading_program


def open_artifact(artifact: Path) -> reading_program.ReadCard:
    if sys.platform != "darwin":
        sys.exit("CoreML is a part of Apple's systems: read the cards on a Mac")
    folder = Path(tempfile.mkdtemp())
    shutil.unpack_archive(artifact, folder)
    (package,) = folder.glob("*.mlpackage")
    model = ct.models.MLModel(str(package))
    shutil.rmtree(folder)  # it has compiled a copy of its own

    def run(ink: np.ndarray) -> np.ndarray:
        return model.predict({"ink": ink})["log_probabilities"]

    return reading_program.bare(run, multiple=4)


if __name__ == "__main__":
    reading_program.main(__doc__, open_artifact, ("coremltools",))
