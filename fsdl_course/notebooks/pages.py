"""The pages of executed notebooks, with a table of how each went: ``build/course/index.html``.

``fsdl-course notebooks pages`` makes them of the copies that a test run left there. No page loads anything
from the network. Nothing is executed here.
"""

import argparse
import contextlib
import html
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from fsdl_course import diagrams
from fsdl_course.notebooks.conversion import NotebookError, name_of, notebooks, read
from fsdl_course.notebooks.rules_code import img_without_alt
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.paths import ROOT
from fsdl_deploy.running import stations

FOLDER = Path("build") / "course"
RECORD = "fsdl_run"  # in an executed copy's metadata: {"seconds": …, "problem": …}
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
.jp-OutputArea-output .highlight pre { font-family: var(--jp-code-font-family) }
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


def prepare(folder: Path) -> None:
    """Put Mermaid beside the pages, where it is there."""
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(stations.NotBuilt):
        shutil.copy(diagrams.script(), folder)


def write_page(copy: Path, origin: Path, folder: Path) -> None:
    """The page of an executed ``copy`` below ``folder``, beside it; ``origin`` is the notebook it is of."""
    place = folder / copy.relative_to(folder).with_suffix("")
    copy.with_suffix(".html").write_text(to_html(copy, origin.parent, place), encoding="utf-8")


def to_html(executed: Path, origin: Path, page_path: Path) -> str:
    """The executed notebook as one page that loads nothing from the network.

    Links that were relative to ``origin`` are made relative to the place of ``page_path``; those to
    other notebooks lead to their pages. Diagrams are drawn by the Mermaid in a folder above, if one is there.
    """
    import jinja2
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(extra_loaders=[jinja2.DictLoader({"offline.html.j2": OFFLINE})])
    exporter.template_file = "offline.html.j2"
    exporter.register_preprocessor(_as_they_ended, enabled=True)
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
    text = without_frames(text)
    above = next((place for place in page_path.parents if (place / MERMAID).is_file()), None)
    if above and '<pre class="mermaid">' in text:
        source = os.path.relpath(above / MERMAID, page_path.parent).replace(os.sep, "/")
        text = DRAW.format(source=source).join(text.rsplit("</body>", 1))
    return text


def without_frames(text: str) -> str:
    """HTML with a sentence for each frame of a server of this machine: it has stopped by now."""
    stopped = "<p><em>Here the running server was shown; it stopped with the notebook.</em></p>"
    frame = r"<iframe\b[^>]*https?://(127\.0\.0\.1|localhost).*?</iframe>"
    return re.sub(frame, stopped, text, flags=re.DOTALL)


def _as_they_ended(notebook, resources):
    return as_they_ended(notebook), resources


def as_they_ended(notebook):
    """Streams as a terminal shows them in the end: a progress bar that went away again leaves nothing."""
    from nbconvert.preprocessors import CoalesceStreamsPreprocessor

    notebook, _ = CoalesceStreamsPreprocessor(enabled=True)(notebook, {})
    for cell in notebook.cells:
        if cell.cell_type == "code":
            kept = [out for out in cell.outputs if out.output_type != "stream" or out.text.strip()]
            cell.outputs = kept
    return notebook


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


def unnamed_pictures(copy: Path) -> str:
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


def of_copies(root: Path) -> list[Execution]:
    """How each notebook went of which a test run left a copy; its page is made beside the copy."""
    folder, outcomes = root / FOLDER, []
    for path in notebooks(root):
        copy = folder / f"{name_of(path, root)}.ipynb"
        if copy.is_file():
            run = read(copy).metadata.get(RECORD, {})
            problem = run.get("problem", "") or unnamed_pictures(copy)
            write_page(copy, path, folder)
            outcomes.append(Execution(name_of(path, root), run.get("seconds", 0.0), problem))
    return outcomes


def report(outcomes: list[Execution], root: Path, planned: int) -> int:
    """Write the table and ``index.html``; 1 if a notebook failed."""
    folder = root / FOLDER
    text = table(outcomes)
    (folder / "table.txt").write_text(text, encoding="utf-8")
    page(outcomes, folder, planned)
    return int(any(outcome.problem for outcome in outcomes))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--root", type=Path, default=ROOT, help="the course's folder (default: this one)")


def main(args: argparse.Namespace) -> int:
    """Make the pages of what a test run executed; 1 if one of them failed, or there is none."""
    root = args.root.resolve()
    prepare(root / FOLDER)
    outcomes = of_copies(root)
    if not outcomes:
        raise NotebookError(f"no executed notebook lies in {FOLDER}: `make course` leaves them")
    status = report(outcomes, root, len(notebooks(root)))
    print(f"{len(outcomes)} notebooks: {FOLDER / 'index.html'}")
    return status
