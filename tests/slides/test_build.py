"""A deck is built to one page and one PDF by the real Marp; each fault ends the command with status 1."""

import contextlib
import re

import pytest
import tiny_decks

from fsdl_course import cli
from fsdl_course.slides import build, marp
from fsdl_deploy.browser import chromium
from fsdl_deploy.running import stations

pytestmark = pytest.mark.timeout(400)  # a browser and Node.js start slowly on a busy machine
MORE = """![w:600 two boxes of which one follows the other](diagram/01_lesson.svg)

[a lesson](../notebooks/source/01_lesson.py), [a page](https://example.org/)
and {{rung(teacher, cards):,}} cards

"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    assert stations.station(marp.STATION).python.exists()  # without it the file is left out
    try:
        chromium.program()
    except chromium.NoBrowser as missing:
        pytest.skip(str(missing))
    root = tmp_path_factory.mktemp("course")
    tiny_decks.make(root, lambda text: text.replace("- some words", MORE + "- some words", 1))
    return root, build.build(root)["01_deck"]


def test_page_and_pdf_are_whole(built):
    root, seen = built
    assert (seen.slides, seen.problems, seen.requests) == (8, [], [])
    assert sorted(path.name for path in (root / build.BUILT).iterdir()) == ["01_deck.html", "01_deck.pdf"]
    page = (root / build.BUILT / "01_deck.html").read_text(encoding="utf-8")
    assert 'src="data:image/svg+xml;base64,' in page and 'src="img/' not in page
    assert 'href="../../notebooks/source/01_lesson.py"' in page
    assert "<title>A deck</title>" in page and 'lang="en"' in page
    assert ">1926</span>" in page and ">2,000</span>" in page
    assert len(re.findall('<div class="bespoke-marp-note"[^>]*><p>1 minute. Tell the class', page)) == 8


def test_what_the_browser_sees_ends_the_command(built, tmp_path, capsys):
    long = "- " + "a line that is there many times over\n- " * 25
    tiny_decks.make(tmp_path, lambda text: text.replace("- some words", long + "\n- some words", 1))
    assert cli.main(["slides", "--root", str(tmp_path), "--no-pdf"]) == 1
    ended = capsys.readouterr()
    assert "01_deck, slide 1: <ul>" in ended.err and "beyond the slide's margins" in ended.err
    assert not (tmp_path / build.BUILT / "01_deck.pdf").exists()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda text: text.replace("rung(teacher", "rung(student"), "01_deck: {{rung(student, right)}}"),
        (lambda text: text.replace("minutes: 8", "minutes: 5"), "add up to 8, the front matter says 5"),
        (
            lambda text: text.replace("- some", "![a chart that is not there yet](chart/gone.svg)\n- some"),
            "no chart 'gone'",
        ),
        (lambda text: text.removeprefix("---"), "does not begin with its front matter"),
    ],
)
def test_a_fault_of_the_source_ends_the_command_before_anything_is_built(tmp_path, capsys, change, sentence):
    with contextlib.suppress(build.DeckError):  # the command says it again
        tiny_decks.make(tmp_path, change)
    for words in ([], ["--check"]):
        assert cli.main(["slides", "--root", str(tmp_path), *words]) == 1
        assert sentence in capsys.readouterr().err
    assert not (tmp_path / build.BUILT).exists()


def test_a_good_source_is_called_good(tmp_path, capsys):
    tiny_decks.make(tmp_path)
    assert cli.main(["slides", "--root", str(tmp_path), "--check"]) == 0
    assert "1 decks: nothing is wrong" in capsys.readouterr().out


def test_without_a_browser_the_command_says_what_to_do(tmp_path, capsys, monkeypatch):
    tiny_decks.make(tmp_path)
    monkeypatch.setattr(build, "build", lambda *words, **more: chromium.Chromium().__enter__())
    monkeypatch.setattr(
        chromium, "program", lambda: (_ for _ in ()).throw(chromium.NoBrowser("no Chromium is on PATH"))
    )
    assert cli.main(["slides", "--root", str(tmp_path)]) == 1
    assert "no Chromium is on PATH" in capsys.readouterr().err
