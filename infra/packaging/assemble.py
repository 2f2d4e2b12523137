"""Put together what a packaging tool packs: ``python assemble.py TOOL OUT``, TOOL cog, bentoml or truss.

A container has nothing but what is copied into it, so beside the tool's own files (``TOOL/project``) OUT gets
our package and the model with its checksum. OUT must be empty or not exist.
"""

import shutil
import sys
from pathlib import Path

from fsdl_deploy import weights
from fsdl_deploy.reader import LATEST

HERE = Path(__file__).resolve().parent
PLACE = {"cog": ".", "bentoml": ".", "truss": "packages"}  # where the tool's container looks for packages


def assemble(tool: str, out: Path, version: str = LATEST) -> None:
    """Fill ``out`` for ``tool``. Raises ValueError for a tool that is none, or a folder that is not empty."""
    if tool not in PLACE:
        raise ValueError(f"the tools are {', '.join(PLACE)}, not {tool!r}")
    if out.exists() and any(out.iterdir()):
        raise ValueError(f"{out} is not empty: give a new folder")
    leave_out = shutil.ignore_patterns("__pycache__")
    shutil.copytree(HERE / tool / "project", out, ignore=leave_out, dirs_exist_ok=True)
    package = Path(weights.__file__).parent
    shutil.copytree(package, out / PLACE[tool] / package.name, ignore=leave_out)
    (out / PLACE[tool] / "models").mkdir()
    for name in (f"{version}.onnx", weights.SUMS):
        shutil.copyfile(weights.folder() / name, out / PLACE[tool] / "models" / name)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("Usage: python assemble.py TOOL OUT")
    try:
        assemble(sys.argv[1], Path(sys.argv[2]))
    except (OSError, ValueError) as error:
        sys.exit(f"assemble.py: {error}")
