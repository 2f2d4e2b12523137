"""The folder that Sphinx reads: notebooks and documents, each where the repository has it

Takes the executed copies of ``build/course``, and the repository's notebooks where there is none. Diagrams
are drawn here; links that lead out of the site are given a file to lead to.
"""

import posixpath
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from fsdl_course import claims_page, diagrams, glossary
from fsdl_course.notebooks import colab, pages
from fsdl_course.notebooks.conversion import read, write
from fsdl_course.site import documents
from fsdl_course.site.cells import shown_on_site, state_of, with_pictures
from fsdl_course.site.contents import Contents, Entry, SiteError, contents
from fsdl_course.site.terms import TermLinks
from fsdl_course.slides import publish
from fsdl_course.workspace.links import with_links
from fsdl_deploy import files

FILES = "files"  # the notebooks as they are, to be taken home
THEMES = {"light": "default", "dark": "dark"}


@dataclass
class Source:
    """What was laid out: which notebooks show a run, and which are only what the repository has."""

    executed: list[str] = field(default_factory=list)
    committed: list[str] = field(default_factory=list)


def lay_out(root: Path, folder: Path, extra: Path, reader_bytes: int) -> Source:
    """Write what Sphinx reads into ``folder``, and what lies beside the pages into ``extra``; both are empty.

    Raises SiteError for a link that leads nowhere, DiagramError, NotBuilt without the station ``node``.
    """
    listed = contents(root)
    notebooks = {entry: _notebook(entry, root) for entry in listed.notebooks}
    markdown = {path: (root / path).read_text(encoding="utf-8") for path in _documents(listed)}
    markdown["index.md"] = documents.front(root, listed, reader_bytes)
    markdown["tools.md"] = documents.tools(listed)
    markdown[documents.SLIDES] = documents.slides(root / "build" / "slides")
    titles = {entry.title.split()[0]: entry.title for entry in listed.lessons}
    markdown[documents.CLAIMS] = claims_page.document(root, titles)
    texts = [cell.source for notebook, _ in notebooks.values() for cell in notebook.cells]
    drawn = _drawings(
        diagrams.sources("\n".join([*texts, *markdown.values()])), folder / "_static" / "diagrams"
    )
    pages_there = {entry.path for entry in listed.notebooks} | markdown.keys()
    (folder / "_static").mkdir(parents=True, exist_ok=True)
    source, hosted = Source(), colab.published(root)
    terms = glossary.read(root) if glossary.PAGE in markdown else []
    for entry, (notebook, executed) in notebooks.items():
        (source.executed if executed else source.committed).append(entry.path)
        up = "../" * entry.path.count("/")
        for_colab = any(map(colab.is_cell, notebook.cells))
        page = shown_on_site(
            *(notebook, up, f"{FILES}/{entry.path}", drawn, state_of(notebook, entry.path, executed)),
            (hosted.link(entry.path) or "") if for_colab else "",
        )
        words = TermLinks(_used_in(entry, terms) if entry in listed.lessons else (), up)
        for cell in page.cells:
            if cell.cell_type == "markdown":
                text = words.linked(cell.source)
                cell.source = _linked(text, entry.path, pages_there, root, folder)
        _write(folder / entry.path, write(page))
        _copy(root / entry.path, extra / FILES / entry.path)
    for path, text in markdown.items():
        text = with_pictures(text, "../" * path.count("/"), drawn)
        _write(folder / path, _linked(text, path, pages_there, root, folder))
    if (slides := root / "build" / "slides").is_dir():
        publish.copy_to(slides, extra / "slides")
    return source


def _notebook(entry: Entry, root: Path):
    """The notebook of an entry, and whether it is an executed copy."""
    copy = root / pages.FOLDER / Path(entry.path).relative_to(Path(entry.path).parts[0])
    if entry.path.startswith("notebooks/") and copy.is_file():
        return read(copy), True
    return read(root / entry.path), False


def _used_in(lesson: Entry, terms: Iterable[glossary.Term]) -> list[glossary.Term]:
    return [term for term in terms if Path(lesson.path).stem not in term.not_in]


def _documents(listed: Contents) -> Iterable[str]:
    """The documents of the repository that become pages."""
    yield from (entry.path for entry in (*listed.about, *listed.more, *listed.models))


def _drawings(texts: list[str], folder: Path) -> dict[str, tuple[str, diagrams.Diagram]]:
    """For each text the name of its two files, and the light one."""
    drawn = {mode: diagrams.draw(texts, theme) for mode, theme in THEMES.items()} if texts else {}
    names: dict[str, tuple[str, diagrams.Diagram]] = {}
    for text in dict.fromkeys(texts):
        name = f"diagram{len(names) + 1:02}"
        names[text] = (name, drawn["light"][text])
        for mode in THEMES:
            _write(folder / f"{name}-{mode}.svg", drawn[mode][text].svg)
    return names


def _linked(text: str, path: str, there: set[str], root: Path, folder: Path) -> str:
    """Markdown whose links lead somewhere on the site; a file that is no page is put beside the pages."""

    def lead(place: str, target: str) -> str | None:
        if (
            place in there
            or (folder / place).is_file()
            or place.startswith((f"{FILES}/", "slides/", "_static/"))
        ):
            return None
        new = {"README.md": "index.md", "notebooks/tools/README.md": "tools.md"}.get(place)
        if new is None:
            if not (root / place).is_file():
                raise SiteError(f"{path} links {target}, which the site does not have: link a file or a page")
            _copy(root / place, folder / place)
        return new

    here = posixpath.dirname(path)
    return with_links(text, here, here, lead)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write(path, text)


def _copy(origin: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(origin, path)
