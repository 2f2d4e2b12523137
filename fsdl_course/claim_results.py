"""Results that a lesson sets: the names under which its cells keep what they measured, without running them

A lesson writes ``measured["rate"] = …``, also several at once, or takes over a whole dictionary:
``measured |= takeaways.figures_of(month)``. Of a function of the course the keys are those that it writes
out. Knows no claim.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

NAME = "measured"


def results_set(source: str, root: Path) -> set[str]:
    """The names that the cells of a lesson's source set. Cells that are no Python set none."""
    body = [node for cell in _cells(source) for node in cell.body]
    return set(_set_by(body, NAME, body, root))


def _cells(source: str) -> Iterator[ast.Module]:
    for cell in re.split(r"(?m)^# %%.*$", source):
        try:
            yield ast.parse(cell)
        except SyntaxError:  # a magic of IPython's
            continue


def _set_by(body: list[ast.stmt], name: str, scope: list[ast.stmt], root: Path) -> Iterator[str]:
    """The keys that these statements give to the dictionary of this name."""
    for node in (inner for statement in body for inner in ast.walk(statement)):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and _is(node.value, name):
            yield from _constants([node.slice])
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _assigned(target, node.value, name, scope, root)
        elif isinstance(node, ast.AugAssign) and isinstance(node.op, ast.BitOr) and _is(node.target, name):
            yield from _keys(node.value, scope, root)
        elif isinstance(node, ast.Call) and _is_update(node.func, name):
            yield from _of_a_call(node, scope, root)


def _assigned(target: ast.expr, value: ast.expr, name: str, scope: list, root: Path) -> Iterator[str]:
    if _is(target, name):
        yield from _keys(value, scope, root)
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for part, its_value in zip(target.elts, value.elts, strict=False):
            yield from _assigned(part, its_value, name, scope, root)


def _is(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _is_update(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "update" and _is(node.value, name)


def _constants(nodes: Iterable[ast.expr | None]) -> Iterator[str]:
    values = [node.value for node in nodes if isinstance(node, ast.Constant)]
    yield from (value for value in values if isinstance(value, str))


def _keys(value: ast.expr, scope: list[ast.stmt], root: Path) -> Iterator[str]:
    """The keys that a dictionary has for sure, as far as they are written out."""
    if isinstance(value, ast.Dict):
        yield from _constants(value.keys)
        for key, inner in zip(value.keys, value.values, strict=True):
            if key is None:  # **inner
                yield from _keys(inner, scope, root)
    elif isinstance(value, ast.BinOp) and isinstance(value.op, ast.BitOr):
        for side in (value.left, value.right):
            yield from _keys(side, scope, root)
    elif isinstance(value, ast.Call) and _is(value.func, "dict"):
        yield from _of_a_call(value, scope, root)
    elif isinstance(value, ast.Call):
        yield from _returned(value.func, scope, root)


def _of_a_call(call: ast.Call, scope: list[ast.stmt], root: Path) -> Iterator[str]:
    yield from (keyword.arg for keyword in call.keywords if keyword.arg)
    for argument in [*call.args, *(keyword.value for keyword in call.keywords if not keyword.arg)]:
        yield from _keys(argument, scope, root)


def _returned(function: ast.expr, scope: list[ast.stmt], root: Path) -> Iterator[str]:
    """The keys of what ``function(…)`` or ``module.function(…)`` of the course returns."""
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        module, name = _imported(function.value.id, scope), function.attr
    elif isinstance(function, ast.Name):
        module, _, name = _imported(function.id, scope).rpartition(".")
    else:
        return
    file = root / f"{module.replace('.', '/')}.py"
    if not module or not file.is_file():
        return
    body = ast.parse(file.read_text(encoding="utf-8")).body
    for each in body:
        if isinstance(each, ast.FunctionDef) and each.name == name:
            for node in ast.walk(each):
                if isinstance(node, ast.Return) and node.value is not None:
                    yield from _keys(node.value, body, root)
                    if isinstance(node.value, ast.Name):
                        yield from _set_by(each.body, node.value.id, body, root)


def _imported(name: str, scope: list[ast.stmt]) -> str:
    """The whole name of what a module or a lesson calls so; "" where it is nothing that it imports."""
    for node in (inner for statement in scope for inner in ast.walk(statement)):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return f"{node.module}.{alias.name}"
    return ""
