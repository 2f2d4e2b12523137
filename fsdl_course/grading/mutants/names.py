"""Faults of names: one variable taken for another, or one key of a dictionary"""

import ast
from collections.abc import Iterator

MOST = 3  # others that a name is taken for


class Names:
    """What a cell calls its variables and keys, each kind in the order in which they come."""

    def __init__(self, tree: ast.AST) -> None:
        nodes = list(ast.walk(tree))
        targets = [n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
        arguments = [n.arg for n in nodes if isinstance(n, ast.arg)]
        self.variables = list(dict.fromkeys([*arguments, *targets]))
        self.keys = list(dict.fromkeys(n.slice.value for n in nodes if _is_key(n)))

    def mixed_up(self, node: ast.AST) -> Iterator[ast.AST]:
        """The node with another name or key, those that stand nearest in the list first."""
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield from (ast.Name(other, node.ctx) for other in _nearest(node.id, self.variables))
        elif _is_key(node):
            for other in _nearest(node.slice.value, self.keys):
                yield ast.Subscript(node.value, ast.Constant(other), node.ctx)


def _is_key(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Subscript)
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, str)
    )


def _nearest(name: str, names: list[str]) -> list[str]:
    if name not in names:
        return []
    place = names.index(name)
    others = [other for other in names if other != name]
    return sorted(others, key=lambda other: abs(names.index(other) - place))[:MOST]
