"""Read cards with ONNX Runtime's web form, WebAssembly: one Node.js for all of them, asked over a pipe"""

import atexit
import subprocess
from pathlib import Path

import numpy as np

from fsdl_deploy.browser.signing import node
from fsdl_deploy.running.stations import station
from fsdl_deploy.targets import reading_program

PROGRAM = Path(__file__).with_name("read.mjs")


def open_artifact(artifact: Path) -> reading_program.ReadCard:
    process = subprocess.Popen(
        [node(), PROGRAM, station("node").node_modules / "read.js", artifact],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    atexit.register(process.kill)

    def read(image: np.ndarray) -> tuple[str, float]:
        process.stdin.write(np.array(image.shape, "<i4").tobytes() + image.tobytes())
        process.stdin.flush()
        head = process.stdout.read(8)
        if len(head) < 8:
            raise RuntimeError("Node.js has ended; what it wrote stands above")
        digits = process.stdout.read(int(np.frombuffer(head, "<i4")[1]))
        return "".join(map(str, digits)), float(np.frombuffer(head, "<f4")[0])

    return read


if __name__ == "__main__":
    reading_program.main(__doc__, open_artifact)
