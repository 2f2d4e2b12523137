"""A notebook's cells as a kernel would run them: magics, ``await``, ``display``, what ``__future__`` changed.

Runs inside the sandbox. A cell is its source, and ``instead``: the same with IPython's syntax as calls, for
a cell that is no plain Python. Of a cell that only measures, the imports are kept. Standard library only.
"""

import __future__

import ast
import asyncio
import builtins
import inspect
import sys

# This module's own builtins: student code may replace those in the module `builtins`, never these.
__builtins__ = dict(vars(builtins))
AWAIT = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
FUTURE = sum({getattr(__future__, name).compiler_flag for name in __future__.all_feature_names})
BODY_RUNS = ("time", "capture")  # cell magics whose cell a kernel runs in the notebook's own names
CHEAP = {*sys.stdlib_module_names, "numpy", "matplotlib", "pandas", "scipy", "PIL"}  # or imported before


class Cells:
    """Compiles the cells of one notebook in their order: a ``__future__`` import holds for those after it."""

    def __init__(self) -> None:
        self.flags = 0

    def compiled(self, cell: dict):
        """A cell as code, or what is wrong with it as text: such a cell is not run, the others are."""
        try:
            if cell.get("imports_only"):
                return self._code(_imports(cell["source"]))
            try:
                return self._code(cell["source"])
            except SyntaxError:
                if cell.get("instead", cell["source"]) == cell["source"]:
                    raise
                return self._code(cell["instead"])
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            return f"{type(error).__name__}: {getattr(error, 'msg', error)}"

    def _code(self, source):
        code = compile(source, "<cell>", "exec", self.flags | AWAIT, dont_inherit=True)
        self.flags |= code.co_flags & FUTURE
        return code


def _imports(source: str) -> ast.Module:
    """What a cell imports at its top, of modules that cost little; one that fails leaves the others."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        body = []
    kept = []
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom) and not getattr(node, "level", 0):
            names = [node.module] if isinstance(node, ast.ImportFrom) else [name.name for name in node.names]
            if all(name.partition(".")[0] in CHEAP for name in names):
                handler = ast.ExceptHandler(ast.Name("Exception", ast.Load()), None, [ast.Pass()])
                kept.append(ast.Try([node], [handler], [], []))
    return ast.fix_missing_locations(ast.Module(kept, []))


def run(code, namespace: dict) -> None:
    """Run a compiled cell; one that awaits, to its end."""
    if code.co_flags & inspect.CO_COROUTINE:
        asyncio.run(eval(code, namespace))
    else:
        exec(code, namespace)


def namespace() -> dict:
    """The names of a fresh notebook, with what IPython adds."""
    names = {"__name__": "__main__", "__builtins__": builtins}
    shell = _Shell(names)
    names.update(display=lambda *_, **__: None, get_ipython=lambda: shell)
    return names


class _Shell:
    """What ``get_ipython()`` gives: magics do nothing, but for those around code of the student's."""

    def __init__(self, names: dict) -> None:
        self.names = names

    def run_line_magic(self, name: str, line: str, *_, **__):
        return self.run_cell_magic(name, "", line) if name == "time" else None

    def run_cell_magic(self, name: str, _, cell: str):
        if name in BODY_RUNS:
            run(compile(cell, "<cell>", "exec", AWAIT, dont_inherit=True), self.names)

    def getoutput(self, *_, **__) -> list:
        return []

    def __getattr__(self, name: str):
        return lambda *_, **__: None
