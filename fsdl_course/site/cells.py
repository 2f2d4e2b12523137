"""From a notebook to the one that the site shows: outputs at rest, diagrams drawn, where it comes from

Knows cells and their outputs; knows nothing of where a page stands but the way to the site's first page.
"""

import copy
import html
import re
from collections.abc import Mapping

from fsdl_course.diagrams import FENCE, Diagram
from fsdl_course.notebooks.pages import RECORD, as_they_ended, without_frames

NOT_EXECUTED = (
    "This page is made of the notebook as it lies in the repository: it was not executed where the site "
    "was made, so what a run shows is missing."
)
TO_ANSWER = (
    "Labs are answered in a clone of the course: `make lab` has this one in `work/`, where each function is "
    "checked at once."
)
FAILED = "The run of which this page is made ended with an error; the cells after it have no output."
CODE = re.compile("`([^`]+)`")
WIDGETS = "application/vnd.jupyter.widget"
# A style sheet that a tool's own page asks another host for, also where that page stands quoted in a frame.
STYLES = re.compile(r"""@import\s*(?:url\()?\s*(["']|&quot;|&\#39;)?(?:https?:)?//.*?(?:\1\)?|\))\s*;?""")


def shown_on_site(
    notebook, up: str, download: str, drawn: Mapping[str, tuple[str, Diagram]], state: str, colab: str = ""
):
    """A copy of the notebook as the site shows it.

    ``up``: the way from its page to the first page (``../../``). ``download``: from there to the notebook.
    ``drawn``: for each text of a diagram the name of its files and what it shows. ``state``: a
    sentence on what the outputs are, such as NOT_EXECUTED, or "". ``colab``: the address that opens it on
    Colab, or "".
    """
    notebook = as_they_ended(copy.deepcopy(notebook))
    notebook.metadata["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = with_pictures(cell.source, up, drawn)
        elif cell.cell_type == "code":
            _rest(cell)
    first = next(cell for cell in notebook.cells if cell.cell_type == "markdown")
    first.source = with_head(first.source, f"{up}{download}", state, colab)
    return notebook


def state_of(notebook, path: str, executed: bool) -> str:
    """The sentence on what a page's outputs are; "" where they are those of a run that came to its end."""
    if not executed:
        return TO_ANSWER if path.startswith("labs/") else NOT_EXECUTED
    return FAILED if notebook.metadata.get(RECORD, {}).get("problem") else ""


def with_head(text: str, download: str, state: str = "", colab: str = "") -> str:
    """A notebook's first cell with links to the file and to Colab, and where the page comes from."""
    name = html.escape(download.rpartition("/")[2])
    hosted = f' · <a href="{html.escape(colab)}">Open in Colab</a>' if colab else ""
    link = (
        f'<p class="page-actions"><a href="{html.escape(download)}" download>Download {name}</a>{hosted}</p>'
    )
    sentence = CODE.sub(r"<code>\1</code>", html.escape(state))
    note = f'<p class="page-state" role="note">{sentence}</p>' if state else ""
    paragraphs = re.split(r"\n\s*\n", text)
    at = next((i + 1 for i, part in enumerate(paragraphs) if part.startswith("**Minutes:**")), 1)
    return "\n\n".join([*paragraphs[:at], *filter(None, (link, note)), *paragraphs[at:]])


def with_pictures(text: str, up: str, drawn: Mapping[str, tuple[str, Diagram]]) -> str:
    """Markdown with a picture in the place of each diagram: one for a light page and one for a dark page."""

    def picture(match: re.Match) -> str:
        name, diagram = drawn[match[1]]
        width, height = (round(side) for side in diagram.size)
        alt = html.escape(" ".join(diagram.alt.split()))
        images = "".join(
            f'<img class="only-{mode}" src="{up}_static/diagrams/{name}-{mode}.svg" '
            f'alt="{alt}" width="{width}" height="{height}" style="--wide: {width}px">'
            for mode in ("light", "dark")
        )
        return f'<div class="diagram" role="group" aria-label="Diagram" tabindex="0">{images}</div>'

    return FENCE.sub(picture, text)


def _rest(cell) -> None:
    """Outputs without what only a running kernel can show, and colours of a terminal."""
    kept = []
    for output in cell.outputs:
        data = output.get("data", {})
        for kind in [kind for kind in data if kind.startswith(WIDGETS)]:
            del data[kind]
        if "text/html" in data:
            data["text/html"] = STYLES.sub("", without_frames("".join(data["text/html"])))
        if output.output_type in ("display_data", "execute_result") and not data:
            continue
        kept.append(output)
    cell.outputs = kept
