"""The part of the notebooks' contract that keeps text and code free of one machine's paths, ports and tools.

``in_text`` reads prose and code alike, ``in_code`` a cell's syntax tree: what a string is used for says
whether "/data/x" is a folder or the path of a URL. Each function yields sentences that say what to do.
Knows nothing of notebooks, sections or files. Nothing is executed here.
"""

import ast
import re
from collections.abc import Iterator
from itertools import pairwise

# Folders at the root of some machine: a notebook that names one runs only there.
MACHINE_PATH = re.compile(
    r"(?<![\w.:/~>-])(/(home|Users|root|tmp|work|workspace|opt|usr|var|etc|mnt|media|private|srv|proc|content)\b"
    r"|[A-Za-z]:\\)"
)
# The same at the beginning of a string, with names that in prose would as often be a URL's.
ROOTED = re.compile(
    r"/(Applications|Library|System|Volumes|app|boot|code|data|datasets?|dbfs|dev|efs|kaggle|lib|lib64|mount"
    r"|net|nfs|nix|run|sbin|scratch|shared|snap|storage|sys|lustre)(/|$)"
    r"|[A-Za-z]:[\\/](?!/)|~[\w.-]*[\\/]"
)
ABSOLUTE = re.compile(r"/\w|[A-Za-z]:[\\/]|~")
# Calls that take the path of a file, whatever folder it begins with.
FILE_CALLS = {
    *("open", "Path", "PurePath", "PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath"),
    *("load", "loadtxt", "genfromtxt", "memmap", "save", "savez", "savefig", "imread", "imwrite", "connect"),
    *("listdir", "scandir", "chdir", "mkdir", "makedirs", "walk", "glob", "copy", "copy2", "copyfile"),
    *("copytree", "move", "rmtree", "remove", "unlink", "isfile", "isdir", "exists", "expanduser"),
    *("rename", "symlink_to", "hardlink_to", "getsize", "stat", "disk_usage"),
}
FILE_CALL = re.compile(r"(read|to)_(csv|parquet|json|excel|pickle|table|feather|hdf|sql|orc)")
FILE_WORDS = {"cwd", "dir", "folder", "directory", "file", "filename", "root"}
HTTP_CALLS = {"get", "post", "put", "patch", "delete", "head", "options", "request", "stream"}
URL_WORDS = {"ready", "url", "path", "route"}

PORT_IN_URL = re.compile(r"(localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\]):([1-9]\d*)")
HOST = re.compile(r"localhost|\d+\.\d+\.\d+\.\d+|::1?|")
PORT_NAME = re.compile(r"(^|_)port$", re.IGNORECASE)
PORT_FLAG = re.compile(r"-p|--([\w.-]*[.-])?port")
PORT_IN_FLAG = re.compile(r"--([\w.-]*[.-])?port[= ][1-9]\d*")
# Any address whose host or first folder sounds like a package index, of whatever language or vendor.
REGISTRY = re.compile(
    r"https?://[^\s\"'/]*\b(registry|index|mirror|packages?|conda|crates|docker|pypi)\b"
    r"|https?://[^\s\"'/]+/(simple|whl|packages)\b|--(extra-)?index-url"
)
# Signs that come from an emoji font, which a plain Linux lacks: it shows a box. DejaVu has ★ ✓ ✗ and arrows.
EMOJI = re.compile(
    "[\u231a\u231b\u23e9-\u23fa\u2600-\u27bf\u2b1b\u2b1c\u2b50\u2b55\ufe0f\U0001f000-\U0001faff](?<![★☆✓✔✗✘])"
)
INSTALL = re.compile(r"\b(pip3?|conda|mamba|uv|npm|apt|apt-get|brew)(\s+-\S+)*\s+(install|add)\b")
SHELLS = {"bash", "sh", "script", "system", "sx", "cmd", "!", "perl", "ruby"}
NO_SLEEP = "no sleep: poll what you wait for, with a deadline"
NO_PORT = "no fixed port: it may be taken; use port 0, or '{port}' with Server"
NO_INSTALL = "nothing is installed in a notebook: the set-up did it"
NO_SHELL = "a command after '!' or in a shell may fail unnoticed: use subprocess.run([...], check=True)"


def in_text(text: str) -> Iterator[str]:
    """Paths, ports, hosts and signs that tie prose or code to one machine."""
    if path := MACHINE_PATH.search(text):
        yield _path(path[0])
    if address := PORT_IN_URL.search(text):
        yield f"the port {address[2]} may be taken: let the server choose one, and use server.url"
    if registry := REGISTRY.search(text):
        yield f"{registry[0]!r} names a package registry: the set-up knows where packages come from"
    if sign := EMOJI.search(text):
        yield f"the sign {sign[0]!a} is a box where no emoji font is: use words, or ★ ✓ ✗"


def in_code(source: str, tree: ast.Module) -> Iterator[str]:
    """What ties a cell to one machine or makes it wait: everything of ``in_text``, and what calls do.

    ``tree`` is the syntax tree of ``source``, with IPython's magics turned into calls.
    """
    yield from in_text(source)
    if not MACHINE_PATH.search(source) and (path := next(_paths(tree), None)):
        yield _path(path)
    nodes = list(ast.walk(tree))
    if INSTALL.search(source) or any(map(_installs, nodes)):
        yield NO_INSTALL
    if re.search(r"\bsleep\s+\d", source) or any(map(_sleeps, nodes)):
        yield NO_SLEEP
    if any(map(_fixes_port, nodes)):
        yield NO_PORT
    if any(map(_runs_shell, nodes)):
        yield NO_SHELL


def called(node: ast.AST) -> str:
    """``sleep`` for both ``sleep(1)`` and ``time.sleep(1)``."""
    function = getattr(node, "func", None)
    return getattr(function, "attr", None) or getattr(function, "id", "")


def owner(node: ast.Call) -> str:
    """``pyplot`` for both ``pyplot.show()`` and ``matplotlib.pyplot.show()``; empty for ``show()``."""
    value = getattr(node.func, "value", None)
    return getattr(value, "attr", None) or getattr(value, "id", "")


def _path(path: str) -> str:
    return f"the path {path!r} exists on some machines only: use a relative one or tempfile"


def _text(node: ast.AST | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _beginning(node: ast.AST) -> ast.AST:
    """The first part of a string that is put together: where a path would have its root."""
    while True:
        if isinstance(node, ast.JoinedStr) and node.values:
            node = node.values[0]
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Div | ast.Mod):
            node = node.left
        else:
            return node


def _paths(tree: ast.Module) -> Iterator[str]:
    """Absolute paths of files. What follows in a string, and what HTTP asks for, are none."""
    inside = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            inside.update(map(id, node.values[1:]))
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            inside.add(id(_beginning(node.right)))
        elif isinstance(node, ast.Call):
            if called(node) in HTTP_CALLS:
                inside.update(id(_beginning(value)) for value in node.args)
            inside.update(id(_beginning(word.value)) for word in node.keywords if word.arg in URL_WORDS)
            values = [word.value for word in node.keywords if word.arg in FILE_WORDS]
            if called(node) in FILE_CALLS or FILE_CALL.fullmatch(called(node)) or _joins_path(node):
                values += node.args
            for text in (_text(_beginning(value)) for value in values):
                if text and ABSOLUTE.match(text):
                    yield text
    for node in ast.walk(tree):
        text = _text(node)
        if text and id(node) not in inside and ROOTED.match(text):
            yield text


def _joins_path(node: ast.Call) -> bool:
    return called(node) == "join" and owner(node) == "path"


def _installs(node: ast.AST) -> bool:
    """A list of words, or the arguments of a call, that an installer's command line is made of."""
    if isinstance(node, ast.Call):
        if called(node) == "main" and owner(node) in ("pip", "_internal"):
            return True
        if called(node) in ("run_line_magic", "run_cell_magic"):
            return bool(node.args) and _text(node.args[0]) in ("pip", "conda", "mamba", "uv")
    words = node.elts if isinstance(node, ast.List | ast.Tuple) else getattr(node, "args", None)
    if not isinstance(words, list):
        return False
    return bool(INSTALL.search(" ".join(_text(word) or "…" for word in words)))


def _sleeps(node: ast.AST) -> bool:
    """A call of ``sleep``, or the making of another name for it."""
    if isinstance(node, ast.Call):
        return called(node) == "sleep"
    if isinstance(node, ast.ImportFrom):
        return any(alias.name == "sleep" and alias.asname not in (None, "sleep") for alias in node.names)
    value = getattr(node, "value", None) if isinstance(node, ast.Assign | ast.AnnAssign) else None
    return "sleep" in (getattr(value, "attr", ""), getattr(value, "id", ""))


def _port(node: ast.AST | None) -> bool:
    """The number of a port, or its digits as text; 0 lets the system choose and is none."""
    value = node.value if isinstance(node, ast.Constant) else None
    return (type(value) is int and value > 0) or (isinstance(value, str) and bool(re.match("[1-9]", value)))


def _fixes_port(node: ast.AST) -> bool:
    if isinstance(node, ast.keyword):
        return bool(PORT_NAME.search(node.arg or "")) and _port(node.value)
    if isinstance(node, ast.Dict):
        return any(
            PORT_NAME.search(_text(key) or "") and _port(value)
            for key, value in zip(node.keys, node.values, strict=True)
        )
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return any(PORT_NAME.search(_name(target)) for target in targets) and _port(node.value)
    if isinstance(node, ast.Constant):
        return bool(PORT_IN_FLAG.fullmatch(_text(node) or ""))
    words = node.elts if isinstance(node, ast.List | ast.Tuple) else getattr(node, "args", None)
    return isinstance(words, list) and any(_names_port(first, second) for first, second in pairwise(words))


def _name(target: ast.AST) -> str:
    """What is assigned to: ``PORT`` of ``PORT = …`` and of ``settings["PORT"] = …``."""
    if isinstance(target, ast.Subscript):
        return _text(target.slice) or ""
    return getattr(target, "id", None) or getattr(target, "attr", "")


def _names_port(first: ast.AST, second: ast.AST) -> bool:
    """Two neighbours in a list or call that are a flag and its port, or a host and its port."""
    before = _text(first)
    if before is None or not _port(second):
        return False
    if PORT_FLAG.fullmatch(before):
        return True
    number = second.value if type(second.value) is int else 0
    return bool(HOST.fullmatch(before)) and number >= (1 if before else 1024)


def _runs_shell(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    if owner(node) == "os":
        return called(node) in ("system", "popen")
    if owner(node) == "subprocess":
        return called(node) in ("getoutput", "getstatusoutput")
    shell = getattr(node.func, "value", None)  # IPython turns '!ls' into get_ipython().system('ls')
    if called(shell) != "get_ipython":
        return False
    magic = _text(node.args[0]) if node.args else None
    return called(node) in ("system", "getoutput", "getlines") or magic in SHELLS
