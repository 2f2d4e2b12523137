"""Faults of statements: one that is missing, a loop that ends too soon, a branch always or never taken"""

import ast
from collections.abc import Iterator

from fsdl_course.grading.mutants.faults import changed, without
from fsdl_course.grading.mutants.mix_ups import OPERATORS

MAY_BE_MISSING = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Return, ast.Delete, ast.Raise)


def statements(node: ast.AST) -> Iterator[ast.AST]:
    """Other nodes to stand in the place of a statement, each with one fault; ``node`` stays as it is."""
    if isinstance(node, MAY_BE_MISSING) and not _is_docstring(node):
        yield ast.Pass()
    if isinstance(node, ast.If | ast.While):
        yield changed(node, test=ast.UnaryOp(ast.Not(), node.test))
        yield changed(node, test=ast.Constant(False))
    if isinstance(node, ast.If):
        yield changed(node, test=ast.Constant(True))
        if node.orelse:
            yield changed(node, orelse=[])
    if isinstance(node, ast.For | ast.While):
        yield changed(node, body=[*node.body, ast.Break()])  # the first turn only
    if isinstance(node, ast.For):
        backwards = ast.Slice(None, None, ast.Constant(-1))
        items = ast.Call(ast.Name("list"), [node.iter], [])
        yield changed(node, iter=ast.Subscript(items, backwards))
        yield changed(node, iter=ast.Subscript(items, ast.Slice(ast.Constant(1), None)))
        yield changed(node, iter=ast.Subscript(items, ast.Slice(None, ast.Constant(-1))))
    if isinstance(node, ast.Continue | ast.Break):
        yield ast.Pass()
        yield ast.Continue() if isinstance(node, ast.Break) else ast.Break()
    if isinstance(node, ast.AugAssign):
        yield ast.Assign([node.target], node.value, lineno=node.lineno)
        for other in OPERATORS.get(type(node.op), ()):
            yield changed(node, op=other())
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and not _keeps(node):
        kept = ast.BoolOp(ast.Or(), [ast.Name(node.targets[0].id), node.value])  # the first one stays
        yield ast.Assign(node.targets, kept, lineno=node.lineno)
    if isinstance(node, ast.Return) and node.value is not None:
        yield ast.Return(ast.Constant(None))
    if isinstance(node, ast.Try):
        for handlers in without(node.handlers):
            if handlers or node.finalbody:
                yield changed(node, handlers=handlers)
    if isinstance(node, ast.arguments):
        for defaults in _other_defaults(node.defaults):
            yield changed(node, defaults=defaults)


def _keeps(node: ast.Assign) -> bool:
    """Whether it is ``name = name or …`` already."""
    first = node.value.values[0] if isinstance(node.value, ast.BoolOp) else node.value
    return isinstance(first, ast.Name) and first.id == node.targets[0].id


def _other_defaults(defaults: list[ast.expr]) -> Iterator[list[ast.expr]]:
    for place, default in enumerate(defaults):
        if isinstance(default, ast.Constant) and default.value is not None:
            yield [*defaults[:place], ast.Constant(None), *defaults[place + 1 :]]


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
