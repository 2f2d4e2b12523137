"""A notebook as text that a person can read: py:percent sources to ``.ipynb`` and back.

The same source gives the same bytes each time: ids come from the cells' text, keys are sorted, and the
only outputs kept are those of cells tagged ``nbval-check-output``, which say the same on every machine.
Knows where sources and notebooks lie; knows nothing of what the course demands of them.
"""

import copy
import difflib
import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from fsdl_deploy.paths import ROOT

COMPARED = "nbval-check-output"
SANITIZERS = ROOT / "tests" / "nbval_sanitize.cfg"
CELL_SECONDS = 600
START_SECONDS = 180  # a kernel starts in 2 s, on a machine at its limit in 60


class NotebookError(ValueError):
    """A notebook cannot be built, or is not what its source says; the message says what to do."""


def notebook_of(source: Path, root: Path = ROOT) -> Path:
    """``notebooks/source/tools/X.py`` -> ``notebooks/tools/X.ipynb``; NotebookError for any other path."""
    folder = (root / "notebooks" / "source").resolve()
    source = Path(source).resolve()
    if source.suffix != ".py" or not source.is_relative_to(folder):
        raise NotebookError(f"{source} is no source of a notebook: sources are {folder.name}/NAME.py")
    return root / "notebooks" / source.relative_to(folder).with_suffix(".ipynb")


def source_of(notebook: Path, root: Path = ROOT) -> Path:
    """``notebooks/tools/X.ipynb`` -> ``notebooks/source/tools/X.py``; NotebookError for any other path."""
    folder = (root / "notebooks").resolve()
    notebook = Path(notebook).resolve()
    if notebook.suffix != ".ipynb" or not notebook.is_relative_to(folder):
        raise NotebookError(f"{notebook} is no notebook of the course: they are {folder.name}/NAME.ipynb")
    return root / "notebooks" / "source" / notebook.relative_to(folder).with_suffix(".py")


def sources(root: Path = ROOT) -> list[Path]:
    """Every source, in the order of the course; templates (``_NAME.py``) are left out."""
    folder = root / "notebooks" / "source"
    return [path for path in _in_order(folder, "*.py") if not path.name.startswith("_")]


def notebooks(root: Path = ROOT) -> list[Path]:
    """Every notebook, in the order of the course: lessons first, then tools."""
    return _in_order(root / "notebooks", "*.ipynb")


def _in_order(folder: Path, pattern: str) -> list[Path]:
    found = (path.relative_to(folder) for path in folder.rglob(pattern))
    found = [path for path in found if not any(part.startswith(".") for part in path.parts)]
    return [folder / path for path in sorted(found, key=lambda path: (len(path.parts), path.as_posix()))]


def read_source(source: Path, name: str):
    """The notebook that ``source`` describes, without outputs; ``name`` enters the ids of its cells."""
    import jupytext
    import nbformat

    text = Path(source).read_text(encoding="utf-8")
    notebook = jupytext.reads(text, fmt="py:percent")
    cells = []
    for cell in notebook.cells:
        make = {"markdown": nbformat.v4.new_markdown_cell, "raw": nbformat.v4.new_raw_cell}.get(
            cell.cell_type, nbformat.v4.new_code_cell
        )
        tags = {"tags": cell.metadata["tags"]} if cell.metadata.get("tags") else {}
        cells.append(make(cell.source, metadata=tags))
    for cell, cell_id in zip(cells, cell_ids(cells, name), strict=True):
        cell.id = cell_id
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    result = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    result.nbformat_minor = 5
    return result


def cell_ids(cells: Iterable, name: str) -> list[str]:
    """Ids that depend on nothing but the notebook's name and each cell's text and tags: diffs stay small."""
    ids, seen = [], {}
    for cell in cells:
        text = "\n".join([name, cell.cell_type, *cell.metadata.get("tags", ()), cell.source])
        cell_id = hashlib.sha256(text.encode()).hexdigest()[:12]
        seen[cell_id] = seen.get(cell_id, 0) + 1
        ids.append(cell_id if seen[cell_id] == 1 else f"{cell_id}-{seen[cell_id]}")
    return ids


def name_of(notebook: Path, root: Path = ROOT) -> str:
    """``notebooks/tools/X.ipynb`` -> ``tools/X``: what people call it."""
    return source_of(notebook, root).relative_to(root / "notebooks" / "source").with_suffix("").as_posix()


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
    by_id = {cell.id: cell for cell in executed.cells}
    for cell in notebook.cells:
        if cell.cell_type == "code" and COMPARED in cell.metadata.get("tags", ()) and cell.id in by_id:
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
    before = {cell.id: cell.outputs for cell in known.cells if cell.get("outputs")}
    for cell in notebook.cells:
        if cell.get("outputs") and _compared(before.get(cell.id, [])) == _compared(cell.outputs):
            cell.outputs = before[cell.id]


def _compared(outputs) -> list[str]:
    texts = [output.get("text") or str(output.get("data")) for output in outputs]
    return [sanitized(text) for text in texts]


def sanitized(text: str) -> str:
    """``text`` as nbval compares it: what may differ from run to run is replaced by a word for it."""
    from nbval.plugin import get_sanitize_patterns

    for pattern, replacement in get_sanitize_patterns(SANITIZERS.read_text(encoding="utf-8")):
        text = re.sub(pattern, replacement, text)
    return text


def write(notebook) -> str:
    """The text of an ``.ipynb``: keys sorted, one line break at the end."""
    import nbformat

    nbformat.validate(notebook)
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def difference(committed: str, built: str, shown: str) -> str:
    """A unified diff from the text of a committed file to what its source makes; "" if they are the same."""
    lines = committed.splitlines(True), built.splitlines(True)
    return "".join(difflib.unified_diff(*lines, f"committed/{shown}", f"built/{shown}"))


def read(path: Path):
    """The notebook in an ``.ipynb``; NotebookError if the file holds none. Nothing in it is repaired."""
    import nbformat
    from nbformat import reader, validator

    try:
        notebook = reader.reads(path.read_text(encoding="utf-8"))
        if notebook.nbformat != 4:
            raise ValueError(f"it is in format {notebook.nbformat}, not 4")
        for error in validator.iter_validate(notebook):
            raise ValueError(error.message)
    except (ValueError, nbformat.validator.NotebookValidationError, AttributeError, KeyError) as error:
        raise NotebookError(f"{path.name} is no notebook: {error}") from None
    return notebook
