"""What Sphinx reads: runs where there are some, a sentence where there is none, no dead link."""

import json
import re
from collections import defaultdict

import nbformat
import pytest

from fsdl_course import diagrams
from fsdl_course.notebooks.conversion import read
from fsdl_course.site import source
from fsdl_course.site.cells import FAILED, NOT_EXECUTED, shown_on_site, with_head
from fsdl_course.site.contents import SiteError, contents
from fsdl_course.site.source import lay_out

LESSON, TOOL, LAB = "notebooks/02_batch.ipynb", "notebooks/tools/triton.ipynb", "labs/lab00/lab00.ipynb"


@pytest.fixture(autouse=True)
def _no_browser(monkeypatch):
    """Drawing is tested elsewhere."""

    def draw(texts, theme):
        return {
            text: diagrams.Diagram(f'<svg viewBox="0 0 20 10">{theme}</svg>', ("Inbox",)) for text in texts
        }

    monkeypatch.setattr(source.diagrams, "draw", draw)


@pytest.fixture
def laid_out(tiny, tmp_path):
    """A function that lays the course out, and gives the texts of a notebook's cells."""

    def lay(path: str | None = None):
        lay_out(tiny, tmp_path / "source", tmp_path / "extra", 15_000_000)
        return [cell.source for cell in read(tmp_path / "source" / path).cells] if path else None

    return lay


def test_a_page_is_made_of_the_run_and_says_so_where_there_was_none(laid_out, tmp_path):
    assert NOT_EXECUTED not in "".join(laid_out(LESSON))
    outputs = read(tmp_path / "source" / LESSON).cells[-1].outputs
    assert "seen by the run" in outputs[0].text
    assert NOT_EXECUTED in read(tmp_path / "source" / TOOL).cells[0].source
    assert NOT_EXECUTED not in read(tmp_path / "source" / LAB).cells[0].source


def test_a_run_that_failed_says_so(tiny, laid_out):
    path = tiny / "build/course/02_batch.ipynb"
    notebook = json.loads(path.read_text())
    notebook["metadata"]["fsdl_run"]["problem"] = "ValueError in cell [3]"
    path.write_text(json.dumps(notebook))
    assert FAILED in laid_out(LESSON)[0]


def test_frames_of_servers_that_stopped_are_a_sentence(laid_out, tmp_path):
    laid_out()
    output = read(tmp_path / "source" / LESSON).cells[-1].outputs[1].data["text/html"]
    assert "iframe" not in output and "stopped" in output


def test_a_diagram_is_two_pictures_with_words(laid_out, tmp_path):
    cells = "".join(laid_out(LESSON))
    assert "```mermaid" not in cells
    pictures = re.findall(r'<img class="only-(\w+)" src="\.\./(_static/[^"]+)" alt="Diagram: Inbox"', cells)
    assert [mode for mode, _ in pictures] == ["light", "dark"]
    texts = [(tmp_path / "source" / path).read_text() for _, path in pictures]
    assert ["default" in texts[0], "dark" in texts[1]] == [True, True]


def test_the_file_to_take_home_is_the_repositorys_to_the_last_byte(tiny, laid_out, tmp_path):
    (link,) = re.findall(r'<a href="([^"]+)" download>', laid_out(LAB)[0])
    assert link == "../../files/labs/lab00/lab00.ipynb"
    assert (tmp_path / "extra/files" / LAB).read_bytes() == (tiny / LAB).read_bytes()


def test_links_lead_to_pages_of_the_site_or_to_a_file_beside_them(laid_out, tmp_path):
    laid_out()
    assert "](../index.md)" in (tmp_path / "source/solutions/README.md").read_text()
    assert (tmp_path / "source/LICENSE").read_text() == "Do as you like.\n"


def test_a_link_that_leads_nowhere_is_named_and_so_is_a_notebook_in_no_table(tiny, laid_out):
    guide = tiny / "solutions/README.md"
    guide.write_text("# For instructors\n\n[A plan](plan.md)\n")
    with pytest.raises(SiteError, match=r"solutions/README.md links plan.md, which the site does not have"):
        laid_out()
    (tiny / "notebooks/03_service.ipynb").write_bytes((tiny / LESSON).read_bytes())
    with pytest.raises(SiteError, match=r"03_service\.ipynb is in no table of README\.md"):
        contents(tiny)


def test_tools_stand_under_their_lesson_and_not_under_their_minutes(tiny):
    table = tiny / "notebooks/tools/README.md"
    table.write_text(table.read_text().replace("| 02 | 15 |", "| 01 | 02 |"))
    assert contents(tiny).stages() == []
    table.write_text(table.read_text().replace("| 01 | 02 |", "| 02 | 02 |"))
    ((lesson, tools),) = contents(tiny).stages()
    assert (lesson.title, [tool.title for tool in tools]) == ("02 Batch", ["Triton"])


def test_slides_are_listed_with_their_titles_or_missed_in_a_sentence(tiny, laid_out, tmp_path):
    laid_out()
    page = tmp_path / "source/slides.md"
    assert "make slides" in page.read_text()
    decks = tiny / "build/slides"
    decks.mkdir(parents=True)
    (decks / "02_batch.html").write_text("<title>Batch &amp; more</title>")
    (decks / "02_batch.pdf").write_bytes(b"%PDF")
    source.shutil.rmtree(tmp_path / "source"), source.shutil.rmtree(tmp_path / "extra")
    laid_out()
    text = page.read_text()
    assert "Batch &amp; more" in text and 'href="slides/02_batch.pdf"' in text and "make slides" not in text
    assert (tmp_path / "extra/slides/02_batch.pdf").read_bytes() == b"%PDF"


def test_pages_that_are_written_later_get_their_place(tiny, laid_out, tmp_path):
    (tiny / "notebooks/glossary.md").write_text("# Words\n\nA *shard* is a folder.\n")
    laid_out()
    assert "Words <notebooks/glossary>" in (tmp_path / "source/index.md").read_text()
    assert (tmp_path / "source/notebooks/glossary.md").is_file()


def test_lessons_link_the_glossary_and_those_that_mean_something_else_do_not(tiny, laid_out, tmp_path):
    (tiny / "GLOSSARY.md").write_text("# Glossary\n\n### zebra\n\nAn animal.\n")
    words = '[[term]]\nterm = "zebra"\nmeaning = "An animal."\nlesson = "02_batch"\n'
    (tiny / "notebooks/glossary.toml").write_text(words)
    assert 'A [zebra](<../GLOSSARY.md#zebra> "An animal.") waits.' in "".join(laid_out(LESSON))
    assert (tmp_path / "source/GLOSSARY.md").is_file()
    (tiny / "notebooks/glossary.toml").write_text(words + 'not_in = ["02_batch"]\n')
    source.shutil.rmtree(tmp_path / "source"), source.shutil.rmtree(tmp_path / "extra")
    assert "A zebra waits." in "".join(laid_out(LESSON))


def test_claims_link_the_place_that_measures_them(tiny, laid_out, tmp_path):
    row = defaultdict(
        str, number=1, quote="It *scales* | well", source="notes", lesson="02", notebook="02_batch"
    )
    row |= {"section": "Where the model sits", "holds": "rate > 1", "shows": "{rate}"}
    lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in row.items())
    (tiny / "notebooks/claims.toml").write_text(f"[[claim]]\n{lines}\n")
    laid_out()
    text = (tmp_path / "source/claims.md").read_text()
    assert "## 02 Batch" in text
    assert (
        "“It \\*scales\\* \\| well” | [Where the model sits](<notebooks/02_batch.ipynb#Where-the-model-sits>)"
        in text
    )


@pytest.mark.parametrize(
    "text",
    [
        "<iframe srcdoc='@import&quot;https://a.example/css?x=1;2&amp;y&quot;;p{}'>",
        '<style>@import url("https://a.example/b.css");p{}</style>',
        "<style>@import url(//a.example/b.css);p{}</style>",
        "<style>@import 'http://a.example/b.css';p{}</style>",
    ],
)
def test_an_output_asks_no_other_host_for_its_style(text):
    cell = nbformat.v4.new_code_cell("1")
    cell.outputs = [nbformat.v4.new_output("display_data", {"text/html": text})]
    page = shown_on_site(
        nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# A tool"), cell]),
        "",
        "files/x.ipynb",
        {},
        "",
    )
    outputs = "".join(
        output["data"]["text/html"] for each in page.cells for output in each.get("outputs", [])
    )
    assert "p{}" in outputs and "a.example" not in outputs


def test_a_notebook_for_colab_links_it_where_the_repositorys_place_is_known():
    with_link = with_head("# Title\n\nText", "files/a.ipynb", colab="https://colab.example/a.ipynb?b&c")
    assert '<a href="https://colab.example/a.ipynb?b&amp;c">Open in Colab</a></p>' in with_link
    assert "Colab" not in with_head("# Title\n\nText", "files/a.ipynb")
