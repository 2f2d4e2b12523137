"""The site's own documents: the first page, the lists of tools and slides, the lecture's sentences

Markdown made of what the repository says already: the README's words, the tables, the file of claims.
"""

import html
import re
from pathlib import Path

from fsdl_course.site.contents import README, Contents, Entry, section

TITLE = "Deployment: from a trained model to a product"
SLIDES, CLAIMS = "slides.md", "claims.md"
NO_SLIDES = "The slides were not built where this site was made: `make slides` builds them."


def front(root: Path, contents: Contents, reader_bytes: int) -> str:
    """The first page: the reader, and what the README says to whoever starts."""
    readme = (root / README).read_text(encoding="utf-8")
    intro = readme.split("\n## ")[0].partition("\n")[2].strip()
    parts = [f"# {TITLE}", intro, "## Try the reader", _reader(reader_bytes)]
    for heading in ("Who it is for", "Two commands", "How long it takes", "Lessons", "Labs"):
        parts += [f"## {heading}", section(readme, heading)]
    return "\n\n".join([*parts, *_trees(contents)]) + "\n"


def _reader(size: int) -> str:
    return f"""<div id="reader" data-source="reader/index.html">
<p>Write a number with a finger or the mouse: the model reads it in this page, and no picture leaves your
device.</p>
<p class="reader-served"><button type="button" id="start-reader">Start the reader
({size / 1e6:.0f} MB)</button></p>
<p class="reader-needs">A page opened from disk may not run the model: start
<code>fsdl-deploy edge app</code>, or any web server in this folder.</p>
</div>"""


def _trees(contents: Contents) -> list[str]:
    """The order of the pages, for the bar beside them; the first page itself shows none of it."""
    return [
        _tree("Lessons", [_named(entry) for entry in contents.lessons]),
        _tree("Labs", [f"Lab {entry.title} <{entry.document}>" for entry in contents.labs]),
        _tree(
            "Tools",
            ["By lesson <tools>", *(_named(entry) for _, group in contents.stages() for entry in group)],
        ),
        _tree(
            "More",
            [
                *(_named(entry) for entry in contents.more),
                "Slides <slides>",
                "The lecture's sentences <claims>",
                *(_named(entry) for entry in (*contents.about, *contents.models)),
            ],
        ),
    ]


def _named(entry: Entry) -> str:
    return f"{entry.title} <{entry.document}>"


def _tree(caption: str, lines: list[str]) -> str:
    return "\n".join(["```{toctree}", ":hidden:", f":caption: {caption}", "", *lines, "```"])


def tools(contents: Contents) -> str:
    """The tools, under the lesson that each goes with."""
    parts = [
        "# Tools by lesson",
        "Each notebook puts the meter reader on one tool, beside the lesson it belongs to.",
    ]
    for lesson, group in contents.stages():
        parts.append(f"## {lesson.title}")
        parts.append(f"With the lesson [{lesson.title}]({lesson.path}):")
        rows = [f"| [{tool.title}]({tool.path}) | {tool.cells[0]} | {tool.cells[-1]} |" for tool in group]
        parts.append("\n".join(["| tool | what it is | minutes |", "|---|---|---|", *rows]))
    return "\n\n".join(parts) + "\n"


def slides(decks: Path) -> str:
    """The decks that lie in ``decks``, each as a page to look at and as a PDF to print."""
    parts = ["# Slides"]
    rows = []
    for deck in sorted(decks.glob("*.html")) if decks.is_dir() else ():
        title = re.search(r"<title>(.*?)</title>", deck.read_text(encoding="utf-8"), re.DOTALL)
        name = html.escape(html.unescape(title[1]).strip() if title and title[1].strip() else deck.stem)
        number = deck.stem.partition("_")[0]
        pdf = f'<a href="slides/{deck.stem}.pdf" aria-label="PDF of {name}">PDF</a>'
        printed = pdf if deck.with_suffix(".pdf").is_file() else ""
        rows.append(f'| <a href="slides/{deck.name}">{number} {name}</a> | {printed} |')
    if not rows:
        return "\n\n".join([*parts, NO_SLIDES]) + "\n"
    parts.append("A deck for each stage, to teach from. Speaker notes are in the page: press `p`.")
    return "\n\n".join([*parts, "\n".join(["| deck | to print |", "|---|---|", *rows])]) + "\n"
