"""Which stations a notebook needs, and what becomes of it where one is not built.

A cell tagged ``station:NAME`` needs that station; where it is not there, the cell is skipped with one
sentence and the rest of the notebook runs. A call such as ``ensure("NAME")`` in a cell without that tag means
that the whole notebook needs it. Knows nothing of how a station is built, nor of what runs the cells.
"""

import ast
import copy
import functools
import re
from collections.abc import Callable, Iterable, Iterator

from fsdl_course.notebooks import rules_code
from fsdl_course.setup.stations import environment
from fsdl_deploy.running import stations

PREFIX = "station:"
CALLS = re.compile(r"\b(?:ensure|stations\.python)\(\"([\w-]+)\"\)")


def named(tags: Iterable[str]) -> list[str]:
    """The stations among a cell's tags."""
    return [tag.removeprefix(PREFIX) for tag in tags if tag.startswith(PREFIX)]


def tagged(cell) -> list[str]:
    """The stations that this cell's tags name."""
    return named(cell.metadata.get("tags", ()))


def whole(cells: Iterable) -> set[str]:
    """The stations without which the notebook of these cells cannot run."""
    sources = (cell.source for cell in cells if cell.cell_type == "code" and not tagged(cell))
    return {name for source in sources for name in CALLS.findall(source)}


def skipped(sentence: str) -> str:
    """What a skipped cell says."""
    return f"Skipped. {sentence}"


def without_missing(notebook, lack: Callable[[str], str | None] | None = None):
    """A copy of the notebook in which each cell that needs a missing station says so and does nothing else.

    ``lack(NAME)`` is a sentence about a station that is missing, or None.
    """
    lack = lack or not_built
    changed = copy.deepcopy(notebook)
    for cell in changed.cells:
        if sentence := next(filter(None, map(lack, tagged(cell))), None):
            cell.source, cell.outputs = f"print({skipped(sentence)!r})", []
    return changed


@functools.cache
def not_built(name: str) -> str | None:
    """A sentence where the station is not built, or was built before its packages changed."""
    station = stations.station(name)
    return None if environment(station).ready() else station.not_built()


# -- the part of the contract that makes skipping safe


def leaks(cells: Iterable) -> Iterator[tuple[int, str]]:
    """Cells that use what may not be there: a name of another cell which needs a station they do not name."""
    needs: dict[str, set[str]] = {}
    for number, cell in enumerate(cells, 1):
        tree = rules_code.parse(cell.source) if cell.cell_type == "code" else None
        if tree is None:
            continue
        own = set(tagged(cell))
        for name in sorted(_used(tree)):
            if missing := sorted(needs.get(name, set()) - own):
                where = f"{name!r} comes from a cell tagged {PREFIX}{missing[0]}"
                yield number, f"{where}: give this cell the tag too, or define the name before"
        for name in _defined(tree):
            needs[name] = set() if not own or needs.get(name) == set() else own


def _nodes(tree: ast.AST, kind) -> list:
    return [node for node in ast.walk(tree) if isinstance(node, kind)]


def _names(tree: ast.AST, context: type[ast.expr_context]) -> set[str]:
    return {node.id for node in _nodes(tree, ast.Name) if isinstance(node.ctx, context)}


def _local(tree: ast.Module) -> set[str]:
    """Names that live within a function's call or a comprehension."""
    loops = [_names(loop.target, ast.Store) for loop in _nodes(tree, ast.comprehension)]
    return {argument.arg for argument in _nodes(tree, ast.arg)}.union(*loops)


def _used(tree: ast.Module) -> set[str]:
    """Names that the cell reads and did not give a value itself, or changes."""
    changed = _changed(tree)
    return (_names(tree, ast.Load) | changed) - _local(tree) - (_defined(tree) - changed)


def _changed(tree: ast.Module) -> set[str]:
    """Names that stand on both sides of one assignment: ``rows = rows + …``, ``rows += …``."""
    changed = {node.target.id for node in _nodes(tree, ast.AugAssign) if isinstance(node.target, ast.Name)}
    for node in _nodes(tree, ast.Assign):
        changed |= _names(node, ast.Store) & _names(node.value, ast.Load)
    return changed


def _defined(tree: ast.Module) -> set[str]:
    """Names to which the cell gives a value, in whatever block."""
    names = _names(tree, ast.Store) - _local(tree)
    names |= {node.name for node in _nodes(tree, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
    names |= {node.name for node in _nodes(tree, ast.ExceptHandler) if node.name}
    for node in _nodes(tree, ast.Import | ast.ImportFrom):
        names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    return names
