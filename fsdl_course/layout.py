"""``fsdl-course layout``: what each module is, from its docstring, written into CONTRIBUTING.md.

And how good the models are, from their record. Reads sources and imports none of them. Each listing stands
between two markers; what is around it is prose.
"""

import ast
import difflib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from fsdl_deploy.measuring import records
from fsdl_deploy.paths import ROOT

FILE = "CONTRIBUTING.md"
BEGIN, END = "<!-- layout: `fsdl-course layout` writes it -->", "<!-- end of layout -->"
MODELS, END_OF_MODELS = "<!-- models: `fsdl-course layout` writes it -->", "<!-- end of models -->"
PACKAGES = ("fsdl_deploy", "fsdl_course")
SOURCES = (".py", ".toml", ".json")
# Folders in the order of the lecture, then what they stand on; one that is not named here comes last.
ORDER = (
    "prototype",
    "batch",
    "service",
    "packaging",
    "optimization",
    "serving",
    "scaling",
    "rollouts",
    "monitoring",
    "delivery",
    "managed",
)
ORDER += ("training", "measuring", "running", "setup", "workspace", "notebooks", "labs", "grading")


def summary(source: str, name: str) -> str:
    """First sentence of a module's docstring; ValueError for a module without one."""
    docstring = ast.get_docstring(ast.parse(source))
    if not docstring:
        raise ValueError(f"{name} has no docstring: its first line says what the module is")
    paragraph = " ".join(docstring.split("\n\n")[0].split())
    return re.split(r"(?<=[.])\s(?=[A-Z`])", paragraph)[0].removesuffix(".").replace("``", "`")


def folders(parent: Path) -> list[Path]:
    """The folders in ``parent`` that hold sources, in ``ORDER``; what a run leaves behind is none."""
    rank = {name: number for number, name in enumerate(ORDER)}
    inside = [child for child in parent.iterdir() if child.name[0] not in "._" and holds_sources(child)]
    return sorted(inside, key=lambda child: (rank.get(child.name, len(ORDER)), child.name))


def holds_sources(folder: Path) -> bool:
    """Whether a program or a setting lies anywhere below ``folder``."""
    return any(path.suffix in SOURCES for path in folder.rglob("*"))


def package_lines(package: Path, within: str = "") -> Iterator[str]:
    """A package, its modules by name, then its folders. ``within``: the path of the folder around it."""
    path = f"{within}{package.name}/"
    indent = "  " * within.count("/")

    def about(module: Path) -> str:
        return summary(module.read_text(encoding="utf-8"), path + module.name)

    front = package / "__init__.py"
    yield f"{indent}- **`{package.name}/`** {about(front) if front.exists() else ''}".rstrip()
    for module in sorted(package.glob("*.py")):
        if module != front:
            yield f"{indent}  - **{module.stem}** {about(module)}"
    for folder in folders(package):
        yield from package_lines(folder, path)


def folder_lines(top: Path) -> Iterator[str]:
    """The folders of ``top``, each with the names of those inside it."""
    yield f"- **`{top.name}/`** Folders by the lecture's steps, and what is in them"
    for folder in folders(top):
        inside = ", ".join(inner.name for inner in folders(folder))
        yield f"  - **`{folder.name}/`** {inside}".rstrip()


def listing(root: Path = ROOT) -> str:
    """What is in both packages and in ``infra/``, a line each."""
    parts = [package_lines(root / name) for name in PACKAGES] + [folder_lines(root / "infra")]
    return "\n".join("\n".join(part) for part in parts)


def models(root: Path = ROOT) -> str:
    """How good each model is on cards of the course's test digits, and of MNIST's where that is recorded."""
    from fsdl_deploy.training.evaluation import table
    from fsdl_deploy.training.model_card import goals

    report = records.read(root / "models" / "report.json")
    parts = {"the course's 1,000 test digits": "measured", "MNIST's 10,000 test digits": "mnist"}
    tables = [
        f"{report[part]['v2']['typical']['cards']:,} cards of each level, written with {digits}:\n\n"
        f"{table(report[part]).markdown()}"
        for digits, part in parts.items()
        if part in report
    ]
    if "mnist" in report:
        tables.append(goals(report))
    return "\n\n".join(tables)


def document(text: str, root: Path = ROOT) -> str:
    """``text`` of CONTRIBUTING.md with today's listings; ValueError where the markers are missing."""
    text = _between(text, BEGIN, END, lambda: listing(root))
    return _between(text, MODELS, END_OF_MODELS, lambda: models(root))


def _between(text: str, begin: str, end: str, written: Callable[[], str]) -> str:
    before, first, rest = text.partition(begin)
    _, last, after = rest.partition(end)
    if not (first and last):
        raise ValueError(f"{FILE} needs the lines {begin!r} and {end!r} around what is written")
    return f"{before}{begin}\n\n{written()}\n\n{end}{after}"


def add_arguments(parser) -> None:
    parser.add_argument("--check", action="store_true", help="change nothing; fail and say how it differs")
    parser.add_argument(
        "--root", type=Path, metavar="FOLDER", default=ROOT, help="the course's folder (default: this one)"
    )


def main(args) -> int:
    """Write the layout, or with --check print how it differs; 1 if it does."""
    path = args.root / FILE
    written = path.read_text(encoding="utf-8")
    updated = document(written, args.root)
    if args.check:
        before, after = written.splitlines(keepends=True), updated.splitlines(keepends=True)
        changes = list(difflib.unified_diff(before, after, FILE, "the modules' docstrings"))
        print("".join(changes), end="")
        return 1 if changes else 0
    path.write_text(updated, encoding="utf-8", newline="\n")
    print(f"{FILE}: {'the same already' if updated == written else 'written'}")
    return 0
