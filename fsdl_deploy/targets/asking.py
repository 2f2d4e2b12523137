"""Asking a program of a target: it prints JSON as its last line, or its own last lines are the error

For what a lesson shows of a target beside the comparison. Knows nothing of what a program does.
"""

import json
import os
import subprocess

from fsdl_deploy.paths import ROOT
from fsdl_deploy.running import stations
from fsdl_deploy.targets.catalogue import TargetError


def ask(station: str, program: str, *words: object, seconds: float = 120.0) -> dict:
    """The JSON object that ``infra/edge/PROGRAM`` prints last, run by a station's Python.

    Raises TargetError where it fails, takes longer than ``seconds`` or prints something else; StationError
    says how to build a station that is not built.
    """
    environ = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    command = [stations.python(station), ROOT / "infra" / "edge" / program, *words]
    try:
        process = subprocess.run(
            [str(word) for word in command], capture_output=True, text=True, errors="replace",
            timeout=seconds, stdin=subprocess.DEVNULL, cwd=ROOT, env=environ,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise TargetError(f"{program} took longer than {seconds:.0f} s") from None
    if process.returncode:
        last = "\n".join((process.stderr.strip() or process.stdout.strip()).splitlines()[-8:])
        raise TargetError(f"{program} ended with status {process.returncode}:\n{last}")
    try:
        answer = json.loads(process.stdout.strip().rpartition("\n")[2])
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise TargetError(f"{program} ended well, but its last line is no JSON object")
    return answer
