"""``make course``: execute every notebook as a student would read it, and report under ``build/course/``.

Papermill runs each notebook in the notebook's own folder and writes the executed copy elsewhere, so the
course's files stay as they are. One that fails does not stop the others. The report needs no network:
``build/course/index.html`` links a page for each notebook, ``table.txt`` holds the table printed here.
"""

import html
import os
import re
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from fsdl_course.notebooks.conversion import name_of, notebooks, read, write
from fsdl_course.notebooks.outputs import CELL_SECONDS, START_SECONDS, kernel_config
from fsdl_course.notebooks.rules_code import img_without_alt
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.paths import ROOT

FULL_CELL_SECONDS = 1800
PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>The course, executed</title><style>
body {{ font: 16px/1.5 sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222222 }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ text-align: left; padding: .4rem .8rem; border-bottom: 1px solid #dddddd; vertical-align: top }}
td.seconds, th.seconds {{ text-align: right }}
.passed {{ color: #007355 }} .failed {{ color: #b34700; font-weight: bold }}
pre {{ background: #f5f5f5; padding: .6rem; overflow-x: auto; font-size: 85% }}
</style></head><body><h1>The course, executed</h1>
<p>{summary}</p>
<table><tr><th>notebook</th><th class="seconds">seconds</th><th>status</th></tr>
{rows}
</table></body></html>
"""
# nbconvert's lab page without the scripts that it would load from the network. Formulas stay readable as the
# text they are written in, and diagrams too where Mermaid is not there; JupyterLab draws both.
OFFLINE = """{%- extends 'lab/index.html.j2' -%}
{% block html_head_js %}{% endblock %}
{% block jupyter_widgets %}{% endblock %}
{% block html_head_js_mathjax %}{% endblock %}
{% block html_head_js_mermaidjs %}<style>
main { max-width: 62rem; margin: 0 auto }
.jp-Mermaid pre.mermaid { background: #f5f5f5; padding: .8rem }
.jp-Mermaid pre.mermaid[data-processed] { background: none }
</style>{% endblock %}
"""
MERMAID = "mermaid.tiny.js"
DRAW = """<script src="{source}"></script>
<script>mermaid.initialize({{startOnLoad: false}}); mermaid.run({{querySelector: "pre.mermaid"}})</script>
</body>"""


@dataclass(frozen=True)
class Execution:
    """How one notebook went; ``problem`` is empty if every cell ran."""

    name: str
    seconds: float
    problem: str = ""

    @property
    def status(self) -> str:
        return f"failed: {self.problem.splitlines()[0]}" if self.problem else "passed"


def run(root: Path, names: list[str], full: bool = False) -> int:
    """Execute the notebooks called ``names`` (all if empty), print and write the report; 1 if one fails."""
    chosen = _choose(root, names)
    folder = root / "build" / "course"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if (mermaid := mermaid_script()).is_file():
        shutil.copy(mermaid, folder)
    outcomes = []
    try:
        for place, (name, path) in enumerate(chosen.items(), start=1):
            outcomes.append(execute(path, name, folder, full, f"{place}/{len(chosen)} {name}"))
    finally:  # an interrupt too leaves a report of what ran
        text = table(outcomes)
        (folder / "table.txt").write_text(text, encoding="utf-8")
        page(outcomes, folder, len(chosen))
        print(text + f"report: {folder.relative_to(root) / 'index.html'}")
    return 1 if any(outcome.problem for outcome in outcomes) else 0


def execute(path: Path, name: str, folder: Path, full: bool = False, label: str = "") -> Execution:
    """Run the notebook at ``path`` into ``folder``/NAME.ipynb and NAME.html; errors become the outcome."""
    import papermill

    copy = folder / f"{name}.ipynb"
    copy.parent.mkdir(parents=True, exist_ok=True)
    start, problem = time.perf_counter(), ""
    try:
        papermill.execute_notebook(
            str(path),
            str(copy),
            parameters={"FAST": False} if full else {},
            kernel_name="python3",
            cwd=str(path.parent),
            execution_timeout=FULL_CELL_SECONDS if full else CELL_SECONDS,
            start_timeout=START_SECONDS,
            progress_bar={"desc": label or name, "file": sys.stderr},
            config=kernel_config(),
        )
    except papermill.PapermillExecutionError as error:
        traceback = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error.traceback))
        problem = f"{error.ename} in cell [{error.exec_count}]: {error.evalue}\n{traceback}"
    except Exception as error:  # a timeout, a dead kernel, no notebook at all: the next one still runs
        problem = f"{type(error).__name__}: {error}"
        _note(copy, problem)
    seconds = time.perf_counter() - start
    if copy.exists():
        problem = problem or _unnamed_pictures(copy)
        copy.with_suffix(".html").write_text(to_html(copy, path.parent, folder / name), encoding="utf-8")
    return Execution(name, seconds, problem)


def to_html(executed: Path, origin: Path, page_path: Path) -> str:
    """The executed notebook as one page that loads nothing from the network.

    Links that were relative to ``origin`` are made relative to the place of ``page_path``; those to
    other notebooks lead to their pages. Diagrams are drawn by the Mermaid in a folder above, if one is there.
    """
    import jinja2
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(extra_loaders=[jinja2.DictLoader({"offline.html.j2": OFFLINE})])
    exporter.template_file = "offline.html.j2"
    text, _ = exporter.from_filename(str(executed))

    def link(match: re.Match) -> str:
        target = html.unescape(match[2])
        if re.match(r"([a-z][a-z0-9+.-]*:|#|$)", target):
            return match[0]
        if target.partition("#")[0].endswith(".ipynb"):
            return f"{match[1]}{match[2].replace('.ipynb', '.html', 1)}{match[3]}"
        moved = os.path.relpath(origin / target, page_path.parent).replace(os.sep, "/")
        return f"{match[1]}{html.escape(moved)}{match[3]}"

    text = re.sub(r'(<a\b[^>]*?\bhref=")([^"]*)(")', link, text)
    # The servers that notebooks show in frames have stopped by now.
    stopped = "<p><em>Here the running server was shown; it stopped with the notebook.</em></p>"
    text = re.sub(
        r"<iframe\b[^>]*https?://(127\.0\.0\.1|localhost).*?</iframe>", stopped, text, flags=re.DOTALL
    )
    above = next((place for place in page_path.parents if (place / MERMAID).is_file()), None)
    if above and '<pre class="mermaid">' in text:
        source = os.path.relpath(above / MERMAID, page_path.parent).replace(os.sep, "/")
        text = DRAW.format(source=source).join(text.rsplit("</body>", 1))
    return text


def mermaid_script() -> Path:
    """Where set-up puts Mermaid as one file, which pages without a web server can load."""
    from fsdl_deploy.running import stations

    modules = stations.station("node").node_modules
    return modules / "@mermaid-js" / "tiny" / "dist" / MERMAID


def table(outcomes: list[Execution]) -> str:
    """Notebook, seconds and status as text, one line each."""
    rows = [[outcome.name, outcome.seconds, outcome.status] for outcome in outcomes]
    return f"{Table(['notebook', 'seconds', 'status'], *rows, formats=['', '.1f'])}\n"


def page(outcomes: list[Execution], folder: Path, planned: int) -> None:
    """Write ``index.html``: the table, each failure with its traceback."""
    rows = []
    for outcome in outcomes:
        name = html.escape(outcome.name)
        if (folder / f"{outcome.name}.html").exists():
            name = f'<a href="{name}.html">{name}</a> (<a href="{name}.ipynb">notebook</a>)'
        kind = "failed" if outcome.problem else "passed"
        rest = f"<pre>{html.escape(outcome.problem)}</pre>" if outcome.problem else ""
        rows.append(
            f'<tr><td>{name}</td><td class="seconds">{outcome.seconds:.1f}</td>'
            f'<td><span class="{kind}">{kind}</span>{rest}</td></tr>'
        )
    failed = sum(bool(outcome.problem) for outcome in outcomes)
    summary = f"{len(outcomes)} of {planned} notebooks executed, {failed} failed."
    text = PAGE.format(summary=summary, rows="\n".join(rows))
    (folder / "index.html").write_text(text, encoding="utf-8")


def _choose(root: Path, names: list[str]) -> dict[str, Path]:
    known = {name_of(path, root): path for path in notebooks(root)}
    if not known:
        raise ValueError("there are no notebooks to execute: build them with 'make notebooks'")
    for name in names:
        if name not in known:
            raise ValueError(f"there is no notebook {name!r}: the notebooks are {', '.join(known)}")
    return {name: known[name] for name in names} if names else known


def _unnamed_pictures(copy: Path) -> str:
    """Which cells show a picture without alternative text; only the outputs of a run can tell."""
    cells = []
    for cell in read(copy).cells:
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if any(kind in data for kind in ("image/png", "image/jpeg", "image/svg+xml")) or img_without_alt(
                data.get("text/html", "")
            ):
                cells.append(f"[{cell.execution_count}]")
    if not cells:
        return ""
    return f"a picture without alternative text in cell {', '.join(cells)}: use figures.show or figures.cards"


def _note(copy: Path, problem: str) -> None:
    """Say in the executed copy why it ends early; papermill itself does so only for exceptions in cells."""
    import nbformat

    if copy.exists():
        notebook = read(copy)
        text = f"## This notebook was stopped\n\n```\n{problem}\n```"
        notebook.cells.insert(0, nbformat.v4.new_markdown_cell(text))
        copy.write_text(write(notebook), encoding="utf-8")


def add_arguments(parser) -> None:
    parser.add_argument("names", nargs="*", metavar="NAME", help="for example 01_prototype (default: all)")
    parser.add_argument("--full", action="store_true", help="run with FAST = False: slower, better figures")
    parser.add_argument("--root", type=Path, default=ROOT, help="the course's folder (default: this one)")


def main(args) -> int:
    """Execute the notebooks that were named; 1 if one fails."""
    return run(args.root.resolve(), args.names, args.full)
