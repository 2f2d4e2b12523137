"""Diagrams: drawn by Mermaid in a browser, kept by content, with words for those who cannot see them"""

import re

import pytest
from needs import browser_or_skip

from fsdl_course import diagrams
from fsdl_deploy.running import stations

SOURCE = 'flowchart LR\n    a["<b>The app</b><br/>on a phone"] -- "a picture" --> m(["Model"])\n'


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where this file's drawings are kept; skipped without a browser, but never in CI."""
    assert stations.station("node").node_modules.is_dir()  # or NotBuilt
    browser_or_skip()
    return tmp_path_factory.mktemp("diagrams")


def test_the_picture_has_its_text_as_text_and_asks_for_nothing(folder):
    diagram = diagrams.draw([SOURCE], folder=folder)[SOURCE]
    text = re.sub(r"<[^>]+>", " ", diagram.svg.split("</style>")[-1])
    assert "The app" in " ".join(text.split()) and "a picture" in " ".join(text.split())
    assert "foreignObject" not in diagram.svg and "&lt;b" not in diagram.svg
    assert not re.search(r"""(href|src)=["'](?!#)|url\(["']?(?!#)|@import""", diagram.svg)
    assert diagram.alt == "Diagram: The app on a phone; Model"
    assert diagram.size[0] > diagram.size[1] > 0


def test_what_was_drawn_is_not_drawn_again_and_a_theme_is_another_picture(folder, monkeypatch):
    first = diagrams.draw([SOURCE], folder=folder)[SOURCE]
    dark = diagrams.draw([SOURCE], "dark", folder)[SOURCE]
    assert first.svg != dark.svg and first.labels == dark.labels
    monkeypatch.setattr(diagrams, "Chromium", None)  # a browser that is started now is an error
    assert diagrams.draw([SOURCE, SOURCE], folder=folder) == {SOURCE: first}


def test_a_text_that_is_no_diagram_is_named(folder):
    with pytest.raises(diagrams.DiagramError, match="flowchart LR a -->'"):
        diagrams.draw(["flowchart LR\n a --> \n"], folder=folder)
    with pytest.raises(ValueError, match="theme must be one of"):
        diagrams.draw([SOURCE], "pink", folder)


def test_sources_are_the_fences_called_mermaid():
    assert diagrams.sources("a\n```mermaid\npie\n```\n```python\nx\n```\n```mermaid\nflow\n```") == [
        "pie\n",
        "flow\n",
    ]
