"""The part of the notebooks' contract that reads code: small cells that run on any machine.

Works on the text of one cell and its syntax tree; each function yields sentences that say what to do.
Knows nothing of notebooks, sections or files. Nothing is executed here.
"""

import ast
import re
from collections.abc import Iterator
from itertools import pairwise

MAX_LINES = 15
# Folders at the root of some machine: a notebook that names one runs only there.
MACHINE_PATH = re.compile(
    r"(?<![\w.:/~>-])(/(home|Users|root|tmp|work|workspace|opt|usr|var|etc|mnt|media|private|srv|proc|content)\b"
    r"|[A-Za-z]:\\)"
)
PORT_IN_URL = re.compile(r"(localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\]):([1-9]\d*)")
# Any address whose host or first folder sounds like a package index, of whatever language or vendor.
REGISTRY = re.compile(
    r"https?://[^\s\"'/]*\b(registry|index|mirror|packages?|conda|crates|docker|pypi)\b"
    r"|https?://[^\s\"'/]+/(simple|whl|packages)\b|--(extra-)?index-url"
)
INSTALL = re.compile(r"\b(pip3?|conda|mamba|uv|npm|apt|apt-get|brew)\s+(install|add)\b")
VAGUE = re.compile(
    r"(df|tmp|temp|foo|bar|baz|res|ret|retval|val|obj|arr|lst|stuff|thing|myvar)\d*"
    r"|(data|result|results|model|image|img|output|out|value|list|x|y)\d+"
)
SINGLE_LETTERS = set("ijkmnpqtxyz_")  # loops and mathematics as everyone writes them
NO_SLEEP = "no sleep: poll what you wait for, with a deadline"
NO_PORT = "no fixed port: it may be taken; use port 0, or '{port}' with Server"
FIGURE_MAKERS = {"subplots", "figure", "subplot_mosaic"}


def problems(source: str) -> Iterator[str]:
    """What is wrong with a code cell, sentence by sentence."""
    lines = [line for line in source.splitlines() if line.strip() and not line.strip().startswith("#")]
    if len(lines) > MAX_LINES:
        yield f"the cell has {len(lines)} lines of code, more than {MAX_LINES}: split it, or call the package"
    if re.search(r"^\s*!", source, re.MULTILINE):
        yield "a command after '!' may fail unnoticed: use subprocess.run([...], check=True)"
    if re.search(r"^\s*%(pip|conda)\b", source, re.MULTILINE) or INSTALL.search(source):
        yield "nothing is installed in a notebook: the set-up did it"
    if re.search(r"\bsleep\s+\d", source):
        yield NO_SLEEP
    yield from not_portable(source)
    tree = parse(source)
    if tree is None:
        yield "the cell is no valid Python"
        return
    yield from _calls(tree)
    yield from _names(tree)
    yield from _figures(tree)


def not_portable(text: str) -> Iterator[str]:
    """Paths, ports and hosts that tie prose or code to one machine."""
    if found := MACHINE_PATH.search(text):
        yield f"the path {found[0]!r} exists on some machines only: use a relative one or tempfile"
    if found := PORT_IN_URL.search(text):
        yield f"the port {found[2]} may be taken: let the server choose one, and use server.url"
    if found := REGISTRY.search(text):
        yield f"{found[0]!r} names a package registry: the set-up knows where packages come from"


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


def _called(node: ast.Call) -> str:
    """``sleep`` for both ``sleep(1)`` and ``time.sleep(1)``."""
    return getattr(node.func, "attr", None) or getattr(node.func, "id", "")


def _owner(node: ast.Call) -> str:
    """``pyplot`` for both ``pyplot.show()`` and ``matplotlib.pyplot.show()``; empty for ``show()``."""
    value = getattr(node.func, "value", None)
    return getattr(value, "attr", None) or getattr(value, "id", "")


def _number(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int and node.value > 0


def _calls(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if _called(node) == "sleep":
                yield NO_SLEEP
            if any(
                re.search(r"(^|_)port$", word.arg or "") and _number(word.value) for word in node.keywords
            ):
                yield NO_PORT
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            name, value = _assignment(node)
            if re.search(r"(^|_)port$", name.lower()) and _number(value):
                yield NO_PORT
        elif isinstance(node, ast.List | ast.Tuple):
            words = [word.value if isinstance(word, ast.Constant) else None for word in node.elts]
            pairs = pairwise(words)
            if any(flag in ("--port", "-p") and str(word).isdigit() and word != "0" for flag, word in pairs):
                yield NO_PORT
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and img_without_alt(node.value):
            yield 'a picture needs alternative text: <img src="…" alt="what it shows">'


def _names(tree: ast.Module) -> Iterator[str]:
    inner = {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.comprehension | ast.For | ast.Lambda)
        for name in _bound(node)
    }
    told = set()
    for node in ast.walk(tree):
        name = getattr(node, "id", None) if isinstance(getattr(node, "ctx", None), ast.Store) else None
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            name = node.name
        if not name or name in told:
            continue
        told.add(name)
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
    owner = {id(call): _owner(call) for call in calls}
    shown = [call for call in calls if owner[id(call)] == "figures" and _called(call) in ("show", "cards")]
    for call in shown:
        given = [word.value for word in call.keywords if word.arg == "alt"]
        if not given or (isinstance(given[0], ast.Constant) and not str(given[0].value or "").strip()):
            yield f'figures.{_called(call)}(…, alt="…") says in a sentence what the figure shows'
    if any(owner[id(call)] in ("plt", "pyplot") and _called(call) == "show" for call in calls):
        yield 'a figure is shown by figures.show(figure, alt="…"), not plt.show()'
    if (
        any(owner[id(call)] in ("plt", "pyplot") and _called(call) in FIGURE_MAKERS for call in calls)
        and not shown
    ):
        yield 'the figure is shown in the cell that makes it: figures.show(figure, alt="…")'
    images = [call for call in calls if _called(call) == "Image" and owner[id(call)] in ("", "display")]
    if any(not any(word.arg == "alt" for word in call.keywords) for call in images):
        yield 'a picture is shown by figures.cards(images, captions, alt="…")'
