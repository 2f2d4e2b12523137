"""How much code a program is: its statements, which do not depend on how its lines are broken

Comments and docstrings do not count. Knows nothing of what the code does.
"""

import ast
from collections.abc import Collection
from pathlib import Path


def statements(code: str | Path, names: Collection[str] = ()) -> int:
    """How many statements are in a text or a file of Python, or in these functions and classes of it.

    Raises SyntaxError for what is no Python, ValueError for a name that is not there.
    """
    text = code.read_text(encoding="utf-8") if isinstance(code, Path) else code
    parts = ast.parse(text).body
    if names:
        known = {getattr(node, "name", None) for node in parts}
        if missing := sorted(set(names) - known):
            raise ValueError(f"there is no function or class {missing[0]!r} at the top of the file")
        parts = [node for node in parts if getattr(node, "name", None) in names]
    nodes = [node for part in parts for node in ast.walk(part) if isinstance(node, ast.stmt)]
    return sum(not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)) for node in nodes)
