"""Faults of expressions: what a programmer mistypes or forgets, as other nodes for a node of the syntax tree

A library makes such faults in files and runs a test suite on them (mutmut, cosmic-ray); here a function is
scored by cases, and the faults are those of exercises: ties, bounds, regular expressions, SQL.
"""

import ast
import copy
from collections.abc import Iterator

from fsdl_course.grading.mutants.mix_ups import (
    CLEANING,
    COMPARISONS,
    ERRORS,
    MIXED_UP,
    NOT_NEEDED,
    OPERATORS,
    PATTERNS,
    STATEMENTS_OF_SQL,
)


def expressions(node: ast.AST) -> Iterator[ast.AST]:
    """Other nodes to stand in the place of an expression, each with one fault; ``node`` stays as it is."""
    kind = _BY_KIND.get(type(node))
    if kind is not None:
        yield from kind(node)


def changed(node, **fields):
    """A copy of a node with other fields."""
    other = copy.copy(node)
    for name, value in fields.items():
        setattr(other, name, value)
    return other


def without(items: list) -> Iterator[list]:
    """The list without each of its items in turn."""
    for place in range(len(items)):
        yield items[:place] + items[place + 1 :]


def one_more_or_less(node: ast.expr) -> Iterator[ast.expr]:
    for operator in (ast.Add(), ast.Sub()):
        yield ast.BinOp(node, operator, ast.Constant(1))


def _compare(node: ast.Compare) -> Iterator[ast.AST]:
    for place, operator in enumerate(node.ops):
        for other in COMPARISONS[type(operator)]:
            yield changed(node, ops=[*node.ops[:place], other(), *node.ops[place + 1 :]])
        bound = node.comparators[place]
        if type(operator) in (ast.Lt, ast.LtE, ast.Gt, ast.GtE) and not isinstance(bound, ast.Constant):
            for other in one_more_or_less(bound):
                right = [*node.comparators[:place], other, *node.comparators[place + 1 :]]
                yield changed(node, comparators=right)
    for place in range(len(node.ops)) if len(node.ops) > 1 else ():  # a < b < c, with one half forgotten
        operands = [node.left, *node.comparators]
        kept = operands[: place + 1] if place else operands[1:]
        operators = node.ops[:place] if place else node.ops[1:]
        yield ast.Compare(kept[0], operators, kept[1:])


def _binary(node: ast.BinOp) -> Iterator[ast.AST]:
    for other in OPERATORS.get(type(node.op), ()):
        yield changed(node, op=other())
    yield node.left
    yield node.right
    if isinstance(node.op, ast.Sub | ast.Div | ast.FloorDiv | ast.Mod):
        yield changed(node, left=node.right, right=node.left)


def _boolean(node: ast.BoolOp) -> Iterator[ast.AST]:
    yield changed(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    for values in without(node.values):
        yield values[0] if len(values) == 1 else changed(node, values=values)
    for place, value in enumerate(node.values):
        negated = ast.UnaryOp(ast.Not(), value)
        yield changed(node, values=[*node.values[:place], negated, *node.values[place + 1 :]])


def _constant(node: ast.Constant) -> Iterator[ast.AST]:
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int):
        yield from (ast.Constant(other) for other in (value + 1, value - 1))
    elif isinstance(value, float):
        yield from (ast.Constant(other) for other in (value + 1, 0.9 * value if value else -1.0))
    elif isinstance(value, str):
        yield ast.Constant("" if value else "?")
        for was, becomes in STATEMENTS_OF_SQL:
            if was in value:
                yield ast.Constant(value.replace(was, becomes, 1))


def _call(node: ast.Call) -> Iterator[ast.AST]:
    name = getattr(node.func, "id", getattr(node.func, "attr", ""))
    by_name = isinstance(node.func, ast.Name)
    if name in MIXED_UP:
        field = "id" if by_name else "attr"
        yield changed(node, func=changed(node.func, **{field: MIXED_UP[name]}))
    if by_name and name in NOT_NEEDED and node.args and not isinstance(node.args[0], ast.Starred):
        yield from node.args[: 2 if name in ("min", "max") else 1]
    if not by_name and name in CLEANING and isinstance(node.func, ast.Attribute):
        yield node.func.value
    for keywords in without(node.keywords):
        if len(keywords) < len(node.keywords) and [*_strict(node)] == [
            *_strict(changed(node, keywords=keywords))
        ]:
            yield changed(node, keywords=keywords)
    if len(node.args) > 1 and name not in ("min", "max", "zip", "gcd"):  # in any order the same
        yield changed(node, args=[node.args[1], node.args[0], *node.args[2:]])
        yield changed(node, args=node.args[:-1])
    if (
        name in ("sorted", "min", "max") and len(node.args) == 1 and node.keywords
    ):  # equal ones: the last first
        backwards = ast.Slice(None, None, ast.Constant(-1))
        items = ast.Subscript(ast.Call(ast.Name("list"), [node.args[0]], []), backwards)
        yield changed(node, args=[items])
    if name == "range":
        for other in one_more_or_less(node.args[min(1, len(node.args) - 1)]):
            place = min(1, len(node.args) - 1)
            yield changed(node, args=[*node.args[:place], other, *node.args[place + 1 :]])
    if name == "len":
        yield from one_more_or_less(node)
    if name == "enumerate" and len(node.args) == 1 and not node.keywords:
        yield changed(node, args=[node.args[0], ast.Constant(1)])
    if getattr(getattr(node.func, "value", None), "id", "") == "re" and isinstance(
        node.args[0], ast.Constant
    ):
        yield from _pattern(node)


def _strict(node: ast.Call) -> Iterator[str]:
    """``strict=`` of ``zip``: what the house asks for, while lists of a case have equal lengths."""
    yield from (keyword.arg for keyword in node.keywords if keyword.arg == "strict")


def _pattern(node: ast.Call) -> Iterator[ast.AST]:
    pattern = node.args[0].value
    for was, becomes in PATTERNS:
        if isinstance(pattern, str) and was in pattern:
            yield changed(
                node,
                args=[ast.Constant(pattern.replace(was, becomes.replace("\\\\", "\\"), 1)), *node.args[1:]],
            )


def _sequence(node: ast.Tuple | ast.List) -> Iterator[ast.AST]:
    if isinstance(node.ctx, ast.Load) and len(node.elts) > 1:
        for elements in without(node.elts):
            yield changed(node, elts=elements)
        yield changed(node, elts=[node.elts[1], node.elts[0], *node.elts[2:]])


def _slice(node: ast.Slice) -> Iterator[ast.AST]:
    for field in ("lower", "upper", "step"):
        bound = getattr(node, field)
        if bound is not None:
            yield changed(node, **{field: None})
            if not isinstance(bound, ast.Constant) and field != "step":
                yield from (changed(node, **{field: other}) for other in one_more_or_less(bound))


def _comprehension(node: ast.comprehension) -> Iterator[ast.AST]:
    for conditions in without(node.ifs):
        yield changed(node, ifs=conditions)
    for place, condition in enumerate(node.ifs):
        negated = ast.UnaryOp(ast.Not(), condition)
        yield changed(node, ifs=[*node.ifs[:place], negated, *node.ifs[place + 1 :]])


def _dictionary(node: ast.Dict) -> Iterator[ast.AST]:
    for keys, values in zip(without(node.keys), without(node.values), strict=True):
        yield changed(node, keys=keys, values=values)


def _name(node: ast.Name) -> Iterator[ast.AST]:
    if isinstance(node.ctx, ast.Load) and node.id in ERRORS:
        yield changed(node, id=ERRORS[node.id])


_BY_KIND = {
    ast.Compare: _compare,
    ast.BinOp: _binary,
    ast.BoolOp: _boolean,
    ast.Constant: _constant,
    ast.Call: _call,
    ast.Tuple: _sequence,
    ast.List: _sequence,
    ast.Slice: _slice,
    ast.comprehension: _comprehension,
    ast.Dict: _dictionary,
    ast.Name: _name,
    ast.UnaryOp: lambda node: iter([node.operand]),
    ast.IfExp: lambda node: iter([node.body, node.orelse]),
}
