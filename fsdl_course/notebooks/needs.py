"""Which stations a notebook needs, and what becomes of it where one is not built.

A cell tagged ``station:NAME`` needs that station; where it is not there, the cell is skipped with one sentence
and the rest of the notebook runs. A call such as ``ensure("NAME")`` in a cell without that tag means that the
whole notebook needs it. Knows nothing of how a station is built, nor of what runs the cells.
"""

import ast
import copy
import functools
import re
from collections.abc import Callable, Iterable, Iterator

from fsdl_course.setup.stations import environment
from fsdl_deploy.running import stations

PREFIX = "station:"
CALLS = re.compile(r"\b(?:ensure|stations\.python)\(\"([\w-]+)\"\)")


def tagged(cell) -> list[str]:
    """The stations that this cell's tags name."""
    tags = cell.metadata.get("tags", ())
    return [tag.removeprefix(PREFIX) for tag in tags if tag.startswith(PREFIX)]


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
        if cell.cell_type != "code":
            continue
        own = set(tagged(cell))
        tree = ast.parse("\n".join(_plain(cell.source)))
        for name in sorted(_used(tree)):
            if missing := sorted(needs.get(name, set()) - own):
                where = f"{name!r} comes from a cell tagged {PREFIX}{missing[0]}"
                yield number, f"{where}: give this cell the tag too, or define the name before"
        for name in _defined(tree):
            needs[name] = set() if not own or needs.get(name) == set() else own


def _plain(source: str) -> Iterator[str]:
    """The lines of a cell as plain Python: magics are no names."""
    return ("pass" if re.match(r"\s*[%!]", line) else line for line in source.splitlines())


def _used(tree: ast.Module) -> set[str]:
    """Names that are read before this cell itself has given them a value somewhere."""
    local = {
        argument.arg for node in ast.walk(tree) if isinstance(node, ast.arguments) for argument in _all(node)
    }
    read = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    return read - local - (_defined(tree) - _changed(tree))


def _all(arguments: ast.arguments) -> list[ast.arg]:
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return named + [one for one in (arguments.vararg, arguments.kwarg) if one]


def _changed(tree: ast.Module) -> set[str]:
    """Names that stand on both sides of one assignment: ``rows = rows + …``, ``rows += …``."""
    changed = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            changed.add(node.target.id)
        elif isinstance(node, ast.Assign):
            targets = {
                name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)
            }
            changed |= targets & {name.id for name in ast.walk(node.value) if isinstance(name, ast.Name)}
    return changed


def _defined(tree: ast.Module) -> set[str]:
    """Names to which the cell gives a value, in whatever block."""
    names = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ExceptHandler) and node.name:
            names.add(node.name)
    return names
