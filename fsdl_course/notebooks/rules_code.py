"""The part of the notebooks' contract that reads code: small cells, spelled-out names, figures with text.

What ties a cell to one machine is found by ``rules_portable``. Works on the text of one cell and its
syntax tree; each function yields sentences that say what to do. Knows nothing of notebooks, sections or
files. Nothing is executed here.
"""

import ast
import re
from collections.abc import Iterator

from fsdl_course.notebooks.rules_portable import called, in_code, in_text, owner

MAX_LINES = 15
VAGUE = re.compile(
    r"(df|tmp|temp|foo|bar|baz|res|ret|retval|val|obj|arr|lst|stuff|thing|myvar)\d*"
    r"|(data|result|results|model|image|img|output|out|value|list|x|y)\d+"
)
SINGLE_LETTERS = set("ijkmnpqtxyz_")  # loops and mathematics as everyone writes them
FIGURE_MAKERS = {"subplots", "figure", "subplot_mosaic"}


def problems(source: str) -> Iterator[str]:
    """What is wrong with a code cell, sentence by sentence."""
    tree = parse(source)
    lines = [line for line in source.splitlines() if line.strip() and not line.strip().startswith("#")]
    # Statements too: fifteen lines of five statements each are no small cell.
    size = max(len(lines), sum(isinstance(node, ast.stmt) for node in ast.walk(tree)) if tree else 0)
    if size > MAX_LINES:
        yield (
            f"the cell has {size} lines of code or statements, more than {MAX_LINES}: "
            "split it, or call the package"
        )
    if tree is None:
        yield from in_text(source)
        yield "the cell is no valid Python"
        return
    yield from in_code(source, tree)
    yield from _pictures(tree)
    yield from _names(tree)
    yield from _figures(tree)


def img_without_alt(text: str) -> bool:
    """Whether the text holds an HTML picture without alternative text."""
    return any(
        not re.search(r"""(?s)\balt=(["'])\s*[^\s"'].*?\1""", img)
        for img in re.findall(r"<img\b[^>]*>", text)
    )


def parameter_problems(source: str) -> Iterator[str]:
    """What is wrong with the ``parameters`` cell: it holds names with literal values, FAST among them."""
    tree = parse(source)
    names = {}
    for statement in tree.body if tree else ():
        target, value = _assignment(statement)
        try:
            names[target] = ast.literal_eval(value)
        except (ValueError, TypeError, SyntaxError):
            line = (ast.get_source_segment(source, statement) or "").partition("\n")[0]
            yield f"parameters are names with literal values, not {line!r}: derive values in the next cell"
    if not isinstance(names.get("FAST"), bool):
        yield "the parameters hold FAST = True"
    elif not names["FAST"]:
        yield "FAST is True in the notebook as it is published: who has time turns it off"


def parse(source: str) -> ast.Module | None:
    """The cell's syntax tree, magics turned into calls as IPython does; None if it is no Python."""
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        return ast.parse(TransformerManager().transform_cell(source))
    except SyntaxError:
        return None


def _assignment(statement: ast.stmt) -> tuple[str, ast.expr | None]:
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
    else:
        target = getattr(statement, "target", None) if isinstance(statement, ast.AnnAssign) else None
    return (target.id, statement.value) if isinstance(target, ast.Name) else ("", None)


def _pictures(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and img_without_alt(node.value):
            yield 'a picture needs alternative text: <img src="…" alt="what it shows">'


def _names(tree: ast.Module) -> Iterator[str]:
    inner = {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.comprehension | ast.For | ast.Lambda)
        for name in _bound(node)
    }
    seen = set()
    for node in ast.walk(tree):
        name = getattr(node, "id", None) if isinstance(getattr(node, "ctx", None), ast.Store) else None
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            name = node.name
        if not name or name in seen:
            continue
        seen.add(name)
        if VAGUE.fullmatch(name):
            yield f"the name {name!r} says nothing: spell out what it holds"
        elif len(name) == 1 and name not in SINGLE_LETTERS and name not in inner:
            yield f"the name {name!r} is a single letter: spell out what it holds"


def _bound(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Lambda):
        return {argument.arg for argument in node.args.args}
    return {name.id for name in ast.walk(node.target) if isinstance(name, ast.Name)}


def _figures(tree: ast.Module) -> Iterator[str]:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    owners = {id(call): owner(call) for call in calls}
    displays = [call for call in calls if owners[id(call)] == "figures" and called(call) in ("show", "cards")]
    for call in displays:
        given = [word.value for word in call.keywords if word.arg == "alt"]
        if not given or (isinstance(given[0], ast.Constant) and not str(given[0].value or "").strip()):
            yield f'figures.{called(call)}(…, alt="…") says in a sentence what the figure shows'
    if any(owners[id(call)] in ("plt", "pyplot") and called(call) == "show" for call in calls):
        yield 'a figure is shown by figures.show(figure, alt="…"), not plt.show()'
    if (
        any(owners[id(call)] in ("plt", "pyplot") and called(call) in FIGURE_MAKERS for call in calls)
        and not displays
    ):
        yield 'the figure is shown in the cell that makes it: figures.show(figure, alt="…")'
    images = [call for call in calls if called(call) == "Image" and owners[id(call)] in ("", "display")]
    if any(not any(word.arg == "alt" for word in call.keywords) for call in images):
        yield 'a picture is shown by figures.cards(images, captions, alt="…")'
