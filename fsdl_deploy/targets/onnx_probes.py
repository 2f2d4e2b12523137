"""The probes as ONNX files, for targets whose stations have no torch"""

import contextlib
import io
import json
import warnings
from pathlib import Path

import numpy as np

from fsdl_deploy.targets import probes

LIST = "probes.json"


def write(folder: Path) -> None:
    """Write ``probes.json`` (for each operation its ``stem``, or ``why`` there is no file) and for each a
    file ``.onnx`` and one ``.npz`` with what is ``asked`` and the ``answer``.
    """
    known = {}
    for place, probe in enumerate(probes.every().values()):
        stem = f"probe{place:02}"
        try:
            _export(probe, folder / f"{stem}.onnx")
        except Exception as error:
            known[probe.name] = {"why": _last_line(error)}
            continue
        arrays = {f"asked{at}": part.numpy() for at, part in enumerate(probe.asked())}
        arrays |= {f"answer{at}": part.numpy() for at, part in enumerate(probe.answer())}
        np.savez(folder / f"{stem}.npz", **arrays)
        known[probe.name] = {"stem": stem}
    (folder / LIST).write_text(json.dumps(known))


def _export(probe: probes.Probe, file: Path) -> None:
    import torch

    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        program = torch.onnx.export(probe.exported(), dynamo=True, verbose=False)
        program.save(file, external_data=False)


def _last_line(error: Exception) -> str:
    """What the exporter says at its end; before it stand advice and colours for a terminal."""
    cause = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    return f"{type(cause).__name__}: {' '.join(str(cause).split())[:200]}"
