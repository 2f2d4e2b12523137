"""The last layer of the network by Mojo's compiler: ``build.py OUT_DIR`` writes the program head.

Mojo keeps what it compiled in the home folder: here that is a folder below ``build``.
"""

import os
import subprocess
import sys
from pathlib import Path

from fsdl_deploy.paths import ROOT

HOME = ROOT / "build" / "modular"


def environ(home: Path = HOME) -> dict[str, str]:
    """The variables with which Modular's programs keep their files in ``home``, and report to nobody."""
    home.mkdir(parents=True, exist_ok=True)
    return {**os.environ, "HOME": str(home), "MODULAR_TELEMETRY_ENABLED": "false"}


if __name__ == "__main__":
    compiler, source = Path(sys.executable).parent / "mojo", Path(__file__).with_name("head.mojo")
    command = [str(compiler), "build", "-o", str(Path(sys.argv[1]) / "head"), str(source)]
    raise SystemExit(subprocess.run(command, env=environ()).returncode)
