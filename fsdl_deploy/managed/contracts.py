"""What each managed service wants from a model, counted: files and lines, for three models

The services and their adapters are those of ``infra/managed/contracts``. A line counts if it is neither blank
nor a comment nor part of a docstring; configuration counts like code. Knows nothing of how an adapter runs.
"""

import ast
import functools
import io
import subprocess
import sys
import tokenize
from dataclasses import dataclass
from pathlib import Path

from fsdl_deploy import dated_rows
from fsdl_deploy.measuring import records
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.paths import ROOT

FOLDER = ROOT / "infra" / "managed" / "contracts"
RECORD = FOLDER / "recorded.json"  # written by record.py beside it
MODELS = ("scikit-learn", "huggingface", "reader")
HOW = ("server", "called", "not here")
_HASH = {".toml", ".yaml", ".yml", ".txt", ".env", ".sh", ".in", ""}  # comments begin with #; "": Dockerfile
_TEXT = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}


def _how(value: object) -> str:
    words = isinstance(value, dict) and all(isinstance(how, str) for how in value.values())
    good = words and sorted(value) == sorted(MODELS) and set(value.values()) <= set(HOW)
    return "" if good else f"one of {', '.join(HOW)} for each of {', '.join(MODELS)}"


def _file(value: object) -> str:
    good = isinstance(value, str) and value.isprintable() and len(value) < 200 and (ROOT / value).is_file()
    return "" if good else "a file of the repository"


_REQUIRED = {"folder": dated_rows.text, "name": dated_rows.text, "wants": dated_rows.text, "how": _how}
_WHY = "a service stands with what it wants, and how each model is tried"


class ContractError(ValueError):
    """The list of services is wrong, or a file is of a kind whose lines cannot be counted."""


@dataclass(frozen=True)
class Contract:
    """A service. ``how``: how each model's adapter is tried here. ``careful``: files with errors worded."""

    folder: str
    name: str
    wants: str
    how: dict[str, str]
    careful: tuple[str, ...]

    def files(self, model: str) -> list[Path]:
        """The files that this service wants for a model, none where it takes the model as it is."""
        place = FOLDER / self.folder / model
        found_here = place.rglob("*") if place.is_dir() else ()
        return sorted(path for path in found_here if path.is_file() and "__pycache__" not in path.parts)

    def lines(self, model: str) -> int:
        """The lines in them that count."""
        return sum(lines_of(file) for file in self.files(model))

    def careful_lines(self) -> int | None:
        """The lines of our reader's adapter with errors worded; None where the course has none here."""
        return sum(lines_of(ROOT / name) for name in self.careful) if self.careful else None


@functools.cache
def contracts(file: Path = FOLDER / "contracts.toml") -> list[Contract]:
    """All services. Raises ContractError for one that is not whole."""
    known = []
    content = dated_rows.document(file, ContractError)
    for name, entry in dated_rows.listed(content, "service", "name", ContractError):
        dated_rows.check(name, entry, _REQUIRED, {"careful": dated_rows.each(_file)}, ContractError, _WHY)
        known.append(Contract(**entry | {"careful": tuple(entry.get("careful", ()))}))
    return known


def lines_of(file: Path) -> int:
    """Lines that are neither blank nor comment nor docstring: of Python, YAML, TOML, a Dockerfile."""
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".py":
        return len(_python_lines(text))
    if file.suffix not in _HASH:
        raise ContractError(f"{file.name}: lines of {file.suffix} files cannot be counted")
    stripped = (line.strip() for line in text.splitlines())
    return sum(bool(line) and not line.startswith("#") for line in stripped)


def _python_lines(text: str) -> set[int]:
    """The numbers of the lines with code; a text over several lines has as many."""
    counted = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in _TEXT and token.string:
            counted.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if ast.get_docstring(node, clean=False) is not None:
                counted -= set(range(first.lineno, first.end_lineno + 1))
    return counted


def own_modules() -> list[Path]:
    """The modules of the course that ``import fsdl_deploy.reader`` loads: they travel with our reader."""
    program = (
        "import sys, fsdl_deploy.reader\n"
        "files = [m.__file__ for n, m in sys.modules.items() if n.split('.')[0] == 'fsdl_deploy']\n"
        "print('\\n'.join(filter(None, files)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120
    )
    return sorted(map(Path, result.stdout.split("\n")[:-1]))


def counts() -> dict[str, object]:
    """By model: the lines of each service, the median, how many services want none; and of our reader:

    ``most_for_reader``: services in which it takes more lines than each of the others. ``own``: lines of its
    package; ``care``: how many more lines it takes to word errors, as a median;
    ``spread``: from the service with the fewest lines to the one with the most.
    """
    import numpy as np

    known = contracts()
    lines = {model: {contract.name: contract.lines(model) for contract in known} for model in MODELS}
    return {
        "services": len(known),
        "lines": lines,
        "median": {model: float(np.median(list(of.values()))) for model, of in lines.items()},
        "none": {model: sum(not count for count in of.values()) for model, of in lines.items()},
        "most_for_reader": sum(
            lines["reader"][contract.name]
            > max(of[contract.name] for model, of in lines.items() if model != "reader")
            for contract in known
        ),
        "tried": sum(how != "not here" for contract in known for how in contract.how.values()),
        "own": sum(map(lines_of, own_modules())),
        "care": float(
            np.median(
                [
                    contract.careful_lines() - contract.lines("reader")
                    for contract in known
                    if contract.careful
                ]
            )
        ),
        "spread": max(lines["reader"].values()) - min(lines["reader"].values()),
    }


def trials() -> list[dict]:
    """The record: for each service and model how it was asked, and how many answers were the model's own."""
    return records.read(RECORD)["trials"]


def parity() -> dict[str, int]:
    """Of the record: adapters that ran, those whose every answer was the model's own, servers, questions."""
    tried = trials()
    return {
        "ran": len(tried),
        "same": sum(entry["same"] == entry["count"] for entry in tried),
        "servers": sum(entry["how"] == "server" for entry in tried),
        "questions": sum(entry["count"] for entry in tried),
        "not_here": sum(how == "not here" for contract in contracts() for how in contract.how.values()),
    }


def trials_table() -> Table:
    """What each service answered, as recorded, for a lesson to show."""
    record = records.read(RECORD)
    of = {(entry["service"], entry["model"]): entry for entry in record["trials"]}
    rows = []
    for contract in contracts():
        cells = []
        for model in MODELS:
            entry = of.get((contract.name, model))
            cells.append(
                f"{entry['same']} of {entry['count']} ({entry['how']})" if entry else contract.how[model]
            )
        rows.append([contract.name, *cells])
    notes = [
        f"{record['date']}: {record['machine']}",
        "Answers that are the model's own, and how it was asked",
    ]
    return Table(["service", *MODELS], *rows, notes=notes)


def table() -> Table:
    """Services and lines (files) for each model, for a lesson to show."""
    rows = []
    for contract in contracts():
        cells = [f"{contract.lines(model)} ({len(contract.files(model))})" for model in MODELS]
        careful = contract.careful_lines()
        rows.append([contract.name, contract.wants, *cells, "" if careful is None else str(careful)])
    header = ["service", "wants", *MODELS, "reader, errors worded"]
    return Table(header, *rows, notes=["Lines of code and configuration (files)"])


def draw():
    """The lines of each service as bars, one for each model; a matplotlib figure."""
    import matplotlib.pyplot as plt
    import numpy as np

    from fsdl_deploy import figures

    known = contracts()
    figure, axes = plt.subplots(figsize=(7, 3.6))
    places = np.arange(len(known))
    for number, (model, color) in enumerate(zip(MODELS, figures.PALETTE, strict=False)):
        lines = [contract.lines(model) for contract in known]
        bars = axes.barh(places + 0.27 * (number - 1), lines, 0.25, color=color, label=model)
        axes.bar_label(bars, ["" if count else "0" for count in lines], fontsize=8, padding=2)
    axes.set_yticks(places, [contract.name for contract in known])
    axes.invert_yaxis()
    axes.set(xlabel="lines of code and configuration", ylabel="service")
    figure.legend(loc="outside upper center", ncols=len(MODELS))
    return figure
