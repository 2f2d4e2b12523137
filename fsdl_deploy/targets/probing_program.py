"""What the programs that try operations on a target share: one after another, a line of JSON for each

A target gives two functions: ``convert`` makes something of a probe (``main``) or of an ONNX file
(``main_onnx``, for stations without torch), ``run(converted, inputs)`` gives the answer as arrays. Where
nothing can run here, ``run`` is None, and a conversion is all that is known.
"""

import json
import logging
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

CLOSE = 1e-3  # of the answer's own size: what float32 in another order, or half precision inside, may cost


def main(convert: Callable, run: Callable | None) -> None:
    """Try the operations named on the command line, from their torch modules.

    ``convert`` is called with a ``probes.Probe``.
    """
    from fsdl_deploy.targets import probes

    known = probes.every()

    def attempt(name: str) -> dict[str, str]:
        probe = known[name]
        asked = [part.numpy() for part in probe.asked()]
        return tried(probe, asked, lambda: [part.numpy() for part in probe.answer()], convert, run)

    _one_by_one(sys.argv[1:], attempt)


def main_onnx(convert: Callable, run: Callable | None) -> None:
    """Try the operations named after FOLDER on the command line, from the files that ``onnx_probes`` wrote.

    ``convert`` is called with the path of an ONNX file.
    """
    folder, *names = sys.argv[1:]
    known = json.loads((Path(folder) / "probes.json").read_text())

    def attempt(name: str) -> dict[str, str]:
        if why := known[name].get("why"):
            return {"outcome": "not converted", "why": f"no ONNX file: {why}"}
        stem = Path(folder) / known[name]["stem"]
        with np.load(stem.with_suffix(".npz")) as arrays:
            parts = {
                kind: [arrays[key] for key in sorted(arrays) if key.startswith(kind)]
                for kind in ("asked", "answer")
            }
        return tried(stem.with_suffix(".onnx"), parts["asked"], lambda: parts["answer"], convert, run)

    _one_by_one(names, attempt)


def _one_by_one(names: Sequence[str], attempt: Callable) -> None:
    """The first line for each operation says that it begins: if the process ends there, the caller knows."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.ERROR)
    with os.fdopen(os.dup(1), "w", buffering=1) as lines:
        os.dup2(2, 1)  # what compilers print is for the other stream
        for name in names:
            print(json.dumps({"begins": name}), file=lines)
            print(json.dumps({"name": name} | attempt(name)), file=lines)


def tried(source, asked: list, answer: Callable, convert: Callable, run: Callable | None) -> dict[str, str]:
    """``outcome`` of one operation, a word of ``operators.OUTCOMES``, and ``why`` in a line."""
    try:
        converted = convert(source)
    except (Exception, SystemExit) as error:  # compilers end with whatever they like
        return {"outcome": "not converted", "why": _line(error)}
    if run is None:
        return {"outcome": "converts", "why": ""}
    try:
        parts = [np.asarray(part) for part in run(converted, asked)]
    except (Exception, SystemExit) as error:
        return {"outcome": "does not run", "why": _line(error)}
    return compared(parts, answer())


def compared(answer: Sequence[np.ndarray], expected: Sequence[np.ndarray]) -> dict[str, str]:
    """Whether all parts of an answer are torch's, within CLOSE of the largest number of each."""
    if len(answer) != len(expected):
        return {"outcome": "differs", "why": f"{len(answer)} answers instead of {len(expected)}"}
    for ours, theirs in zip(answer, expected, strict=True):
        if ours.shape != theirs.shape:
            return {"outcome": "differs", "why": f"shape {ours.shape} instead of {theirs.shape}"}
        away = np.abs(ours.astype(np.float64) - theirs.astype(np.float64)).max(initial=0)
        if not away <= CLOSE * np.abs(theirs).max(initial=0):
            return {"outcome": "differs", "why": f"up to {away:.2g} away"}
    return {"outcome": "runs", "why": ""}


def _line(error: BaseException) -> str:
    """An error in one line: its kind and the first words that say something."""
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words[:200]}" if words else type(error).__name__
