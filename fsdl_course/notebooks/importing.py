"""``fsdl-course notebooks import``: edits made in JupyterLab, carried back into a notebook's source."""

from pathlib import Path

from fsdl_course.notebooks.conversion import name_of, read, read_source, source_of
from fsdl_deploy.paths import ROOT


def import_notebook(path: Path, root: Path = ROOT) -> bool:
    """Write edits made in an ``.ipynb`` back to its source; return False if there were none."""
    import jupytext

    source = source_of(path, root)
    edited = read(path)
    if source.exists():
        known = read_source(source, name_of(path, root))
        if [_told(cell) for cell in known.cells] == [_told(cell) for cell in edited.cells]:
            return False
    for cell in edited.cells:
        cell.metadata = {"tags": cell.metadata["tags"]} if cell.metadata.get("tags") else {}
    edited.metadata = {"jupytext": {"notebook_metadata_filter": "-all", "cell_metadata_filter": "tags"}}
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(jupytext.writes(edited, fmt="py:percent"), encoding="utf-8", newline="\n")
    return True


def _told(cell) -> tuple:
    return cell.cell_type, cell.source, tuple(cell.metadata.get("tags", ()))


def add_arguments(parser) -> None:
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="NOTEBOOK", help="for example notebooks/02_batch.ipynb"
    )
    parser.add_argument("--root", type=Path, default=ROOT, help="the course's folder (default: this one)")


def main(args) -> int:
    """Import each notebook, and say whether that changed its source."""
    root = args.root.resolve()
    for path in args.paths:
        changed = import_notebook(path, root)
        print(f"{source_of(path, root)}: {'written' if changed else 'says the same already'}")
    return 0
