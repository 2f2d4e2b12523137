"""A folder with records, a lesson and a deck without a fault, for tests that put one in."""

import json
from pathlib import Path

from fsdl_course.slides.deck import Deck, read
from fsdl_deploy.paths import ROOT

SLIDE = """# Slide {number}

- some words that a class can read, and {{{{rung(teacher, right)}}}} cards

<!-- 1 minute. Tell the class what this slide is about. -->
"""
FRONT = "---\ntitle: A deck\nlesson: 01_lesson\nminutes: 8\n---\n"
RUN = {
    "lessons": {
        "01_lesson": {
            "tables": [
                {
                    "section": "Two ways",
                    "header": ["way", "ms", "note"],
                    "rows": [["one", "1.5", "a < b"], ["two", "1,200", ""]],
                }
            ],
            "printed": ["one request: 12.5 ms = model 2 ms + web −3 ms", "two requests: 1,200 of 1,300"],
        }
    }
}


def make(root: Path, change=lambda text: text, slides: int = 8) -> Deck:
    """A course in ``root`` whose only deck is good but for what ``change`` does to its text."""
    (root / "notebooks" / "source").mkdir(parents=True)
    lesson = "# %% [markdown]\n# # A lesson\n#\n# ```mermaid\n# flowchart LR\n#     cards --> model\n# ```\n"
    (root / "notebooks" / "source" / "01_lesson.py").write_text(lesson, encoding="utf-8")
    (root / "models").mkdir()
    rung = {"rung": "teacher, padded", "right": 1926, "cards": 2000}
    (root / "models" / "ladder.json").write_text(json.dumps({"rungs": [rung]}), encoding="utf-8")
    (root / "slides").mkdir()
    (root / "slides" / "lessons.json").write_text(json.dumps(RUN), encoding="utf-8")
    theme = (ROOT / "slides" / "fsdl.css").read_text(encoding="utf-8")
    (root / "slides" / "fsdl.css").write_text(theme, encoding="utf-8")
    text = FRONT + "\n---\n".join(SLIDE.format(number=number) for number in range(1, slides + 1))
    path = root / "slides" / "01_deck.md"
    path.write_text(change(text), encoding="utf-8")
    return read(path)
