"""Which stations a notebook needs, and that skipping its cells breaks no other."""

import nbformat
import pytest

from fsdl_course.notebooks import conversion, needs
from fsdl_course.notebooks.needs import leaks, not_built, tagged, whole, without_missing
from fsdl_deploy.paths import ROOT
from fsdl_deploy.running import stations


def notebook(*cells: tuple[str, str]):
    """Code cells from (tags, source)."""
    notebook_cells = [
        nbformat.v4.new_code_cell(source, metadata={"tags": tags.split()} if tags else {})
        for tags, source in cells
    ]
    return nbformat.v4.new_notebook(cells=notebook_cells)


def test_a_call_in_an_untagged_cell_needs_the_station_for_the_whole_notebook():
    book = notebook(
        ("", 'python = ensure("ray")'),
        ("station:grpc", 'ensure("grpc")'),
        ("", 'command = [stations.python("node"), "-c", "pass"]'),
        ("", 'station = stations.station("older")'),  # where its files are needs no environment
    )
    assert whole(book.cells) == {"ray", "node"}
    assert [tagged(cell) for cell in book.cells] == [[], ["grpc"], [], []]


def test_a_cell_without_its_station_says_so_and_does_nothing_else(capsys):
    book = notebook(("", "first = 1"), ("station:gone", "raise SystemExit"), ("station:there", "last = 2"))
    changed = without_missing(book, {"gone": "The station gone is not built."}.get)
    assert [cell.source for cell in changed.cells[::2]] == ["first = 1", "last = 2"]
    exec(changed.cells[1].source)
    assert capsys.readouterr().out == "Skipped. The station gone is not built.\n"
    assert book.cells[1].source == "raise SystemExit"


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        (
            [("station:grpc", "answer = 1"), ("", "print(answer)")],
            "'answer' comes from a cell tagged station:grpc",
        ),
        ([("station:grpc", "import json"), ("", "json.dumps(1)")], "'json' comes from"),
        ([("station:grpc", "def ask(): pass"), ("", "def twice():\n    return ask()")], "'ask' comes from"),
        ([("station:grpc", "rows = [1]"), ("", "rows += [2]")], "'rows' comes from"),
        ([("station:grpc", "rows = [1]"), ("", "rows = rows + [2]")], "'rows' comes from"),
        ([("station:grpc", "a = 1"), ("station:ray", "print(a)")], "'a' comes from"),
        ([("station:grpc", "with open('x') as file: pass"), ("", "%time\nprint(file)")], "'file' comes from"),
    ],
)
def test_what_a_skipped_cell_would_have_made_is_not_used_elsewhere(cells, sentence):
    ((number, message),) = leaks(notebook(*cells).cells)
    assert number == 2 and message.startswith(sentence)


@pytest.mark.parametrize(
    "cells",
    [
        [("station:grpc", "answer = 1"), ("station:grpc", "print(answer)")],
        [("", "rows = []"), ("station:grpc", "rows.append(1)"), ("", "print(rows)")],
        [("", "node = None"), ("station:node", "node = 1"), ("", "print(node)")],
        [("station:grpc", "card = 1"), ("", "card = 2\nprint(card)")],
        [("station:grpc", "card = 1"), ("", "def read(card):\n    return card")],
        [("station:grpc", "a = 1"), ("station:ray station:grpc", "print(a)")],
    ],
)
def test_what_is_there_in_any_case_may_be_used(cells):
    assert list(leaks(notebook(*cells).cells)) == []


def test_the_courses_tags_name_stations_and_each_tool_notebook_needs_one():
    known = stations.stations()
    for path in conversion.notebooks(ROOT):
        cells = conversion.read(path).cells
        assert {name for cell in cells for name in tagged(cell)} | whole(cells) <= known.keys(), path
        lesson = path.parent.name == "notebooks"
        assert not (lesson and whole(cells)), f"{path.name}: tag the cells that need {whole(cells)}"


def test_a_station_that_was_built_of_other_packages_counts_as_not_built(monkeypatch):
    class Environment:
        ready = staticmethod(lambda: ready)

    monkeypatch.setattr(needs, "environment", lambda station: Environment)
    for ready in (True, False):
        not_built.cache_clear()
        assert (not_built("grpc") is None) == ready
    not_built.cache_clear()
