"""The firmware for a Cortex-M4: ``build.py OUT_DIR`` writes reader.elf, the network and its weights compiled.

From the int8 file of the target tinyml. The compiler is clang, as the package ziglang brings it.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import generate

from fsdl_deploy.paths import ROOT

FIRMWARE = Path(__file__).parent / "firmware"
NETWORK = ROOT / "models" / "edge" / "tinyml" / "v2_int8.tflite"
OPTIONS = (
    "-target", "thumb-freestanding-eabi", "-mcpu=cortex_m4", "-Os", "-ffreestanding", "-nostdlib",
    "-g0", "-s", "-Wall", "-Wextra", "-Werror", "-Wl,-e,reset", "-Wl,-z,max-page-size=4",
)  # fmt: skip


def compile_firmware(network: Path, out: Path, board: Path = FIRMWARE / "board.ld") -> None:
    """Compile and link ``network.c`` in the folder ``network`` with the firmware.

    Raises RuntimeError with the linker's own words where it does not fit onto the ``board``.
    """
    cache = ROOT / "build" / "zig"
    environ = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": str(cache), "ZIG_LOCAL_CACHE_DIR": str(cache)}
    sources = [FIRMWARE / "main.c", FIRMWARE / "kernels.c", network / "network.c"]
    command = [sys.executable, "-m", "ziglang", "cc", *OPTIONS, "-I", network, "-I", FIRMWARE, "-T", board]
    words = [str(word) for word in [*command, "-o", out, *sources]]
    process = subprocess.run(words, capture_output=True, text=True, env=environ)
    if process.returncode:
        raise RuntimeError(process.stderr.strip())


def main(out: Path) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        generate.generate(NETWORK, Path(temporary))
        compile_firmware(Path(temporary), out / "reader.elf")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
