"""A function's source with each small fault in turn, in the normal form of ``ast.unparse``"""

import ast
import difflib
import hashlib
import warnings
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from fsdl_course.grading.mutants.faults import expressions
from fsdl_course.grading.mutants.names import Names
from fsdl_course.grading.mutants.statements import statements


@dataclass(frozen=True)
class FaultySolution:
    """A source with one fault; ``original`` is the source without it, both in normal form."""

    original: str
    source: str

    @property
    def digest(self) -> str:
        """12 hexadecimal digits that change with the fault and with any other line of the original.

        Of the syntax trees, since the normal form is written otherwise by another Python.
        """
        trees = f"{_form(ast.parse(self.original))}\0{_form(ast.parse(self.source))}"
        return hashlib.sha256(trees.encode()).hexdigest()[:12]

    @property
    def difference(self) -> str:
        """The lines that differ, those of the original with "-", those of the mutant with "+"."""
        lines = difflib.unified_diff(self.original.split("\n"), self.source.split("\n"), n=0, lineterm="")
        return "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))


def mutants(source: str, lines: Collection[int] | None = None) -> list[FaultySolution]:
    """Every mutant of a cell's source that compiles, each once, in the order of the source.

    ``lines``, counted from 1, are those where a fault may be; None: everywhere. SyntaxError if the source
    itself does not compile. Docstrings, annotations, imports and ``strict=`` are left alone: no value depends
    on them.
    """
    tree = ast.parse(source)
    original, names = ast.unparse(tree), Names(tree)
    sources: dict[str, None] = {}
    for holder, field, place, node in _places(tree):
        if lines is not None and getattr(node, "lineno", getattr(holder, "lineno", 0)) not in lines:
            continue
        for other in (*expressions(node), *statements(node), *names.mixed_up(node)):
            _put(holder, field, place, other)
            text = _text(tree)
            if text is not None and text != original:
                sources.setdefault(text)
        _put(holder, field, place, node)
    return [FaultySolution(original, text) for text in sources]


def _places(node: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    """Every node that may be replaced, and where it stands."""
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "type_params") or _is_left_alone(node):
            continue
        for place, item in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(item, ast.AST) and not _is_text_around(node, item):
                yield node, field, place, item
                yield from _places(item)


def _is_left_alone(node: ast.AST) -> bool:
    docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    strict = isinstance(node, ast.keyword) and node.arg == "strict"
    return docstring or strict or isinstance(node, ast.Import | ast.ImportFrom)


def _is_text_around(node: ast.AST, item: ast.AST) -> bool:
    """Whether it is a piece of an f-string other than a value: such a piece cannot be any expression."""
    return isinstance(node, ast.JoinedStr | ast.FormattedValue) and isinstance(
        item, ast.Constant | ast.JoinedStr
    )


def _put(holder: ast.AST, field: str, place: int | None, node: ast.AST) -> None:
    if place is None:
        setattr(holder, field, node)
    else:
        getattr(holder, field)[place] = node


def _form(value) -> str:
    """A syntax tree as text, without what is empty: fields that newer Pythons add change nothing."""
    if isinstance(value, list):
        return f"[{','.join(map(_form, value))}]"
    if not isinstance(value, ast.AST):
        return repr(value)
    fields = [(name, item) for name, item in ast.iter_fields(value) if item is not None and item != []]
    return f"{type(value).__name__}({','.join(f'{name}={_form(item)}' for name, item in sorted(fields))})"


def _text(tree: ast.AST) -> str | None:
    """The tree as source; None if that is no Python."""
    try:
        text = ast.unparse(ast.fix_missing_locations(tree))
        with warnings.catch_warnings(action="ignore"):  # such as "perhaps you missed a comma?"
            compile(text, "<mutant>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except (SyntaxError, ValueError, AttributeError, TypeError):
        return None
    return text
