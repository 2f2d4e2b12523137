"""Running a target's programs: by the Python of its station, for so long at most; what it says at its end"""

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np

from fsdl_deploy.targets import card_files
from fsdl_deploy.targets.catalogue import Target, TargetError

NONE = MappingProxyType({})
# NumPy's products around a bare network are too small to gain from threads that wait for a core.
ONE_THREAD = MappingProxyType(
    dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
)


def run(command: Sequence, target: Target, seconds: float, variables: Mapping[str, str] = NONE) -> str:
    """Run a program with more ``variables`` in its environment; what it prints.

    ``command``: an interpreter, a program, its arguments. Raises TargetError with its last lines where it
    fails or takes too long.
    """
    environ = {**os.environ, "PYTHONUNBUFFERED": "1", "CUDA_VISIBLE_DEVICES": ""} | dict(variables)
    program = Path(command[1]).name
    words = [str(word) for word in command]
    try:
        process = subprocess.run(
            words, capture_output=True, text=True, errors="replace", timeout=seconds, env=environ,
            stdin=subprocess.DEVNULL, cwd=target.root,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise TargetError(f"{program} of {target.name} took longer than {seconds:.0f} s") from None
    if process.returncode:
        lines = (process.stderr.strip() or process.stdout.strip()).splitlines()
        last = "\n".join(lines[-8:])
        raise TargetError(f"{program} of {target.name} ended with status {process.returncode}:\n{last}")
    return process.stdout


def ask(
    target: Target, program: str, images: Sequence[np.ndarray] = (), *words: object, building: bool = False,
    seconds: float = 600.0,
):  # fmt: skip
    """What a program of the target's folder says, from the JSON in its last line.

    It gets a file with the ``images``, uint8 ``[H, W]``, as ``card_files`` writes it, where there are any,
    then the ``words``. ``building``: by the Python that builds. Raises TargetError as ``run`` does.
    """
    with tempfile.TemporaryDirectory(prefix="edge-") as temporary:
        deck = Path(temporary) / "cards.npz"
        if images:
            card_files.write_cards(deck, images)
        arguments = [*([deck] if images else []), *words]
        command = [target.python(building), target.folder / program, *arguments]
        printed = run(command, target, seconds, NONE if building else ONE_THREAD)
    try:
        return json.loads(printed.strip().splitlines()[-1])
    except (IndexError, ValueError):
        raise TargetError(f"the last line that {program} of {target.name} printed is not JSON") from None
