"""A notebook's outputs: running the cells, and what is kept of what they say.

The only outputs kept are those of cells tagged ``nbval-check-output``, which say the same on every machine.
Knows nothing of sources, nor of where notebooks lie.
"""

import copy
import json
import re
from pathlib import Path

from fsdl_course.notebooks.percent import NotebookError
from fsdl_deploy.paths import ROOT

COMPARED = "nbval-check-output"
SANITIZERS = ROOT / "tests" / "nbval_sanitize.cfg"
CELL_SECONDS = 600
START_SECONDS = 180  # a kernel starts in 2 s, on a machine at its limit in 60


def is_compared(cell) -> bool:
    """Whether the outputs of this cell are kept, and compared whenever the notebook is tested."""
    return cell.cell_type == "code" and COMPARED in cell.metadata.get("tags", ())


def execute(notebook, folder: Path):
    """Run the cells in a kernel of this interpreter, in ``folder``; NotebookError says which cell fails."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    executed = copy.deepcopy(notebook)
    client = NotebookClient(
        executed,
        kernel_name="python3",
        timeout=CELL_SECONDS,
        startup_timeout=START_SECONDS,
        coalesce_streams=True,
        config=kernel_config(),
        resources={"metadata": {"path": str(folder)}},
    )
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        place = max((n for n, cell in enumerate(executed.cells) if "execution" in cell.metadata), default=0)
        message = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).strip()
        raise NotebookError(f"cell {place + 1} failed\n{message}") from None
    return executed


def kernel_config():
    """Encrypted talk with the kernel where that is possible; else each kernel warns on the terminal."""
    import zmq
    from traitlets.config import Config

    return Config(KernelManager={"transport_encryption": "auto" if zmq.has("curve") else "disabled"})


def keep_compared_outputs(notebook, executed) -> None:
    """Copy into ``notebook`` the outputs of the tagged cells of ``executed``, without what changes by run."""
    by_id = {cell.get("id"): cell for cell in executed.cells}
    for cell in notebook.cells:
        if is_compared(cell) and cell.get("id") in by_id:
            outputs = copy.deepcopy(by_id[cell.id].get("outputs", []))
            # nbval compares no stderr, and warnings differ from machine to machine.
            cell.outputs = [output for output in outputs if output.get("name") != "stderr"]
            # nbval compares only cells that have run; the same number everywhere keeps diffs small.
            cell.execution_count = 1 if cell.outputs else None
            for output in cell.outputs:
                if "execution_count" in output:
                    output.execution_count = 1


def keep_known_outputs(notebook, known) -> None:
    """Put back outputs of ``known`` where the new ones differ only in what nbval passes over (dates)."""
    before = {cell.get("id"): cell.outputs for cell in known.cells if cell.get("outputs")}
    for cell in notebook.cells:
        if cell.get("outputs") and as_compared(before.get(cell.id, [])) == as_compared(cell.outputs):
            cell.outputs = before[cell.id]


def as_compared(outputs) -> list[str]:
    """Outputs as nbval compares them, as text: the same wherever and whenever the cell ran."""
    texts = [output.get("text") or json.dumps(output.get("data"), sort_keys=True) for output in outputs]
    return [sanitized(text) for text in texts]


def sanitized(text: str) -> str:
    """``text`` as nbval compares it: what may differ from run to run is replaced by a word for it."""
    from nbval.plugin import get_sanitize_patterns

    for pattern, replacement in get_sanitize_patterns(SANITIZERS.read_text(encoding="utf-8")):
        text = re.sub(pattern, replacement, text)
    return text
