"""Single steps of a conversion, run in a target's station, so that a notebook can show what each of them gives

``infra/edge/NAME/lesson/steps.py STEP`` prints one line of JSON. Knows nothing of what a step does.
"""

import json
import os
import subprocess
from pathlib import Path

from fsdl_deploy.paths import ROOT
from fsdl_deploy.running import stations
from fsdl_deploy.targets.catalogue import TargetError, target

SECONDS = 600.0  # that a step may take


def program(name: str, root: Path = ROOT) -> Path:
    """The program with the steps of the target ``name``; TargetError where it has none."""
    file = target(name, root).folder / "lesson" / "steps.py"
    if not file.is_file():
        raise TargetError(f"{name} has no steps to show: {file.relative_to(root)} is missing")
    return file


def source(name: str, start: str, root: Path = ROOT) -> str:
    """The text of one function or class of the target's ``build.py`` or steps, from the line ``start`` on.

    Raises TargetError where no line begins so.
    """
    folder = target(name, root).folder
    for file in (folder / "build.py", program(name, root)):
        lines = file.read_text(encoding="utf-8").splitlines()
        for place, line in enumerate(lines):
            if line.startswith(start):
                rest = lines[place + 1 :]
                end = next(
                    (i for i, text in enumerate(rest) if text and not text.startswith((" ", ")"))), len(rest)
                )
                return "\n".join([line, *rest[:end]]).rstrip()
    raise TargetError(f"no line of the programs of {name} begins with {start!r}")


def step(name: str, *words: str, root: Path = ROOT, seconds: float = SECONDS) -> dict:
    """Run a step in the target's station: what it printed last, read as JSON.

    Raises StationError where the station is not built, TargetError with the last lines of a step that failed.
    """
    chosen, file = target(name, root), program(name, root)
    python = stations.python(chosen.build_station or chosen.station, root)
    environ = {**os.environ, "PYTHONWARNINGS": "ignore", "CUDA_VISIBLE_DEVICES": ""}
    command = [str(python), str(file), *words]
    asked = {"capture_output": True, "text": True, "errors": "replace", "stdin": subprocess.DEVNULL}
    try:
        process = subprocess.run(command, timeout=seconds, env=environ, cwd=root, **asked)
    except subprocess.TimeoutExpired:
        raise TargetError(f"the step {words[0]} of {name} took longer than {seconds:.0f} s") from None
    lines = process.stdout.strip().splitlines()
    try:
        if process.returncode == 0:
            return json.loads(lines[-1])
    except (IndexError, ValueError):
        pass
    last = "\n".join((process.stderr.strip() or process.stdout.strip()).splitlines()[-6:])
    raise TargetError(f"the step {words[0]} of {name} gave no answer:\n{last}")
