"""Images for a cluster: the reader as two versions and as a broken one, built here and brought to the cluster

A cluster on one's own machine has its own store of images, unless it shares the engine's.
"""

import fnmatch
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from fsdl_deploy import weights
from fsdl_deploy.packaging.layers import build
from fsdl_deploy.scaling.kubernetes import OURS, ClusterError

GOOD, OTHER, BROKEN = "meter-reader:v2", "meter-reader:v1", "meter-reader:broken"
VARIANTS = {
    OTHER: f"""FROM {GOOD}
COPY v1.onnx models/
CMD ["serve", "--version", "v1", "--host", "0.0.0.0", "--port", "8000", "--access-log"]
""",
    BROKEN: f"""FROM {GOOD}
CMD ["serve", "--version", "v9", "--host", "0.0.0.0", "--port", "8000"]
""",
}


def build_images(engine) -> list[str]:
    """Build the reader's image as v2 and v1, and one whose service ends as soon as it starts; their names."""
    build(engine, GOOD)
    for tag, text in VARIANTS.items():
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "Dockerfile").write_text(text, encoding="utf-8")
            shutil.copyfile(weights.folder() / "v1.onnx", Path(folder) / "v1.onnx")
            build(engine, tag, Path(folder), "Dockerfile")
    return [GOOD, *VARIANTS]


def loading(context: str, image: str) -> list[str] | None:
    """The command that brings an image to the cluster of this context; None where it has the engine's.

    ClusterError for a cluster of another kind: that takes images from a registry only.
    """
    if context in (OURS, "docker-desktop"):
        return None
    if fnmatch.fnmatchcase(context, "kind-*"):
        return ["kind", "load", "docker-image", image, "--name", context.removeprefix("kind-")]
    if fnmatch.fnmatchcase(context, "k3d-*"):
        return ["k3d", "image", "import", image, "--cluster", context.removeprefix("k3d-")]
    if context == "minikube":
        return ["minikube", "image", "load", image]
    raise ClusterError(
        f"how images come to the cluster {context!r} is not known here: push them to its registry, and "
        "name that in infra/scaling/kubernetes/overlays/cloud"
    )


def bring_images(engine, context: str, say: Callable[[str], None] = print) -> list[str]:
    """Build the images and bring them to the cluster of this context."""
    say("Building the reader's images …")
    images = build_images(engine)
    for image in images:
        if command := loading(context, image):
            say(" ".join(command))
            try:
                subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)
            except OSError:
                raise ClusterError(f"{command[0]} is not on this machine, and brings images there") from None
            except subprocess.CalledProcessError as error:
                raise ClusterError(f"{' '.join(command)}: {error.stderr.strip()[-500:]}") from None
    return images
