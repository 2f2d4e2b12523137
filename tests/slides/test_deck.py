"""A deck's source: slides, notes and minutes are taken from it, and a broken one is refused."""

import pytest

from fsdl_course.slides import deck

FRONT = "---\ntitle: A deck\nlesson: 01_prototype\nminutes: 3\n---\n"


def written(tmp_path, text):
    path = tmp_path / "01_deck.md"
    path.write_text(text, encoding="utf-8")
    return path


def test_slides_end_at_lines_of_dashes_outside_code(tmp_path):
    body = "# One\n\n```yaml\n---\nkind: Pod\n```\n\n---\n# Two\n\n~~~text\n```\n---\n~~~\n"
    slides = deck.read(written(tmp_path, FRONT + body)).slides()
    assert [slide.title for slide in slides] == ["One", "Two"]
    assert "kind: Pod" in slides[0].text


def test_notes_are_told_from_settings(tmp_path):
    body = "<!-- _class: title -->\n# One\n\n<!-- 2 minutes. Say\nhello: it helps. -->\n\n---\n"
    body += "# Two\n<!-- hello -->\n"
    first, second = deck.read(written(tmp_path, FRONT + body)).slides()
    assert first.settings == ("_class: title",)
    assert first.notes == ((2, "Say hello: it helps."),)
    assert second.notes == ((0, "hello"),)
    assert "<!--" not in first.text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("# No front matter\n", "does not begin with its front matter"),
        (FRONT.replace("minutes: 3\n", ""), "lacks `minutes:`"),
        (FRONT.replace("3", "three"), "whole number"),
    ],
)
def test_a_broken_front_is_refused(tmp_path, text, problem):
    with pytest.raises(deck.DeckError, match=problem):
        deck.read(written(tmp_path, text))


def test_an_unknown_deck_is_refused_with_the_names_there_are(tmp_path):
    (tmp_path / deck.FOLDER).mkdir()
    written(tmp_path / deck.FOLDER, FRONT)
    with pytest.raises(deck.DeckError, match=r"no deck is called '02'.*01_deck"):
        deck.decks(tmp_path, ("02",))
