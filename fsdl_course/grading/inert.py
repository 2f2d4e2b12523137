"""What a student wrote, as text that does nothing where nbgrader shows it: in the formgrader, in feedback.

nbgrader's pages print Markdown as HTML and names as they are, in a Jupyter whose page may write files. Its
configuration names ``markdown`` in place of its own filter; notebooks and names go through the others before
nbgrader sees them.
"""

import re

MATHS = re.compile(
    r"\\(href|require|style|class|cssId|html\w*|url|unicode|Tip|enclose|bbox)\b", re.IGNORECASE
)
SIGNS = str.maketrans({"<": "‹", ">": "›", "&": "＆", '"': "”", "'": "’", "`": "’", "\\": "＼"})


def configure(config) -> None:
    """Settings of every nbgrader of the course: what it shows is inert, what it runs is in the sandbox."""
    config.HTMLExporter.sanitize_html = True
    config.HTMLExporter.filters = {"markdown2html": f"{__name__}.markdown"}
    config.Autograde.autograde_preprocessors = [
        "fsdl_course.grading.autograde.BlackBox",  # in place of nbgrader's Execute
        "nbgrader.preprocessors.LimitOutput",
        "nbgrader.preprocessors.SaveAutoGrades",
        "nbgrader.preprocessors.AssignLatePenalties",
        "nbgrader.preprocessors.CheckCellMetadata",
    ]


def markdown(source: str) -> str:
    """Markdown -> HTML of harmless tags only, whatever HTML stands in it; formulas make no links."""
    from nbconvert.filters import clean_html, markdown2html

    return clean_html(markdown2html(MATHS.sub(r"\1", str(source))))


def name(text: str) -> str:
    """A name for pages that do not escape it."""
    return text.translate(SIGNS)


def raw(source: str) -> str:
    """A raw cell's text as Markdown: a listing, fenced longer than anything in it."""
    fence = "`" * (max((len(run) for run in re.findall("`+", source)), default=2) + 1)
    return f"{fence}\n{source}\n{fence}"


def without_outputs(notebook) -> None:
    """Take away what a student's notebook shows as outputs: HTML and scripts of their own."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        if cell.cell_type == "raw":
            cell.cell_type, cell.source = "markdown", raw(cell.source)
            cell.metadata.pop("raw_mimetype", None)
        cell.pop("attachments", None)
