"""From a source in the percent format to the ``.ipynb`` it makes, and reading an ``.ipynb`` whoever wrote it.

The same source gives the same bytes each time: ids come from the cells' text, and keys are sorted.
Keys of figures in prose are filled in (``quoting``).
Knows where sources and notebooks lie; knows nothing of outputs, nor of what the course demands.
"""

import codecs
import difflib
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from fsdl_course.notebooks import colab, percent, quoting
from fsdl_course.notebooks.percent import NotebookError
from fsdl_deploy.paths import ROOT

RECORDS = "models"  # the folder of the records whose figures prose may quote
MARKS = (
    *((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32")),
    *((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")),
)


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
    paths = (path.relative_to(folder) for path in folder.rglob(pattern))
    paths = [path for path in paths if not any(part.startswith(".") for part in path.parts)]
    return [folder / path for path in sorted(paths, key=lambda path: (len(path.parts), path.as_posix()))]


def read_source(source: Path, name: str, root: Path = ROOT):
    """The notebook that ``source`` describes, without outputs; ``name`` enters the ids of its cells.

    Keys in its prose are filled in from the records below ``root``. NotebookError names the line that cannot
    be read, or the cell whose key cannot be filled in, without the file's name.
    """
    import nbformat

    make = {
        "code": nbformat.v4.new_code_cell,
        "markdown": nbformat.v4.new_markdown_cell,
        "raw": nbformat.v4.new_raw_cell,
    }
    cells = []
    for cell in percent.cells(read_text(source)):
        tags = {"tags": list(cell.tags)} if cell.tags else {}
        cells.append(make[cell.kind](cell.source, metadata=tags))
    for cell, cell_id in zip(cells, cell_ids(cells, name), strict=True):
        cell.id = cell_id
    fill(cells, root)
    colab.fill(cells, root)
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    result = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    result.nbformat_minor = 5
    return result


def fill(cells: Iterable, root: Path) -> None:
    """Fill in the keys in prose; NotebookError names the cell."""
    for number, cell in enumerate(cells, 1):
        if cell.cell_type == "markdown":
            cell.source = filled(number, cell.source, root)


def filled(number: int, prose: str, root: Path) -> str:
    """The prose of cell ``number`` with its keys filled in; NotebookError names the cell."""
    try:
        return quoting.fill(prose, root / RECORDS)
    except NotebookError as error:
        raise NotebookError(f"cell {number}: {error}") from None


def cell_ids(cells: Iterable, name: str) -> list[str]:
    """Ids that depend on nothing but the notebook's name and each cell's text and tags: diffs stay small.

    The text is the source's, with the keys of figures, so that a new record changes no id.
    """
    ids, seen = [], {}
    for cell in cells:
        text = "\n".join([name, cell.cell_type, *cell.metadata.get("tags", ()), source_text(cell)])
        cell_id = hashlib.sha256(text.encode()).hexdigest()[:12]
        seen[cell_id] = seen.get(cell_id, 0) + 1
        ids.append(cell_id if seen[cell_id] == 1 else f"{cell_id}-{seen[cell_id]}")
    return ids


def source_text(cell) -> str:
    """The text of a notebook's cell as its source has it."""
    if cell.cell_type == "markdown":
        return quoting.unfilled(cell.source)
    return colab.SOURCE if colab.is_cell(cell) else cell.source


def name_of(notebook: Path, root: Path = ROOT) -> str:
    """``notebooks/tools/X.ipynb`` -> ``tools/X``: what people call it."""
    return source_of(notebook, root).relative_to(root / "notebooks" / "source").with_suffix("").as_posix()


def write(notebook) -> str:
    """The text of an ``.ipynb``: keys sorted, one line break at the end."""
    import nbformat

    nbformat.validate(notebook)
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def bare(text: str) -> str:
    """The text of an ``.ipynb`` without what a run or an editor leaves: outputs, counts, kernel, pictures."""
    from nbformat import reader, writes

    notebook = reader.reads(text)
    for name in ("kernelspec", "language_info"):
        notebook.metadata.pop(name, None)
    for cell in notebook.cells:
        cell.metadata = {name: cell.metadata[name] for name in ("tags", "nbgrader") if name in cell.metadata}
        cell.pop("attachments", None)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return writes(notebook) + "\n"


def difference(committed: str, built: str, name: str) -> str:
    """A unified diff from the text of a committed file to what its source makes; "" if they are the same.

    Of notebooks it shows no outputs; where nothing else differs, it is a sentence.
    """
    if committed != built and name.endswith(".ipynb"):
        built = bare(built)
        committed = committed and bare(committed)
        if committed == built:
            return f"{name} was run or saved by hand: 'git checkout -- {name}' drops that\n"
    lines = committed.splitlines(True), built.splitlines(True)
    diff = difflib.unified_diff(*lines, f"committed/{name}", f"built/{name}")
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in diff
    )


def read(path: Path):
    """The notebook in an ``.ipynb``; NotebookError if the file holds none. Nothing in it is repaired."""
    try:
        return parse(read_text(path))
    except NotebookError as error:
        raise NotebookError(f"{path.name} is no notebook: {error}") from None


def parse(text: str):
    """The notebook in the text of an ``.ipynb``; NotebookError says in one sentence what is wrong with it."""
    import nbformat
    from nbformat import validator

    try:
        content = json.loads(text)
        if not isinstance(content, dict):
            raise ValueError("it is JSON, but not a notebook's")
        if content.get("nbformat") != 4:
            raise ValueError(
                f"it is in format {content.get('nbformat')!r}, not 4: open it in JupyterLab and save it"
            )
        json.dumps(content, ensure_ascii=False).encode()  # half a character can be read, but never written
        for error in validator.iter_validate(content):
            place = "".join(f"/{part}" for part in error.absolute_path)
            raise ValueError(f"{place} {error.message}".strip().partition("\n")[0][:300])
        return nbformat.v4.reads(text)
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
        raise NotebookError(str(error) or type(error).__name__) from None


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, or in what its first bytes say it is in; line ends as they are."""
    content = path.read_bytes()
    encoding = next((name for mark, name in MARKS if content.startswith(mark)), "utf-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise NotebookError(f"it is not text in UTF-8 ({error}): save it as UTF-8") from None
