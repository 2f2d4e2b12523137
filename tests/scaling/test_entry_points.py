"""What each cloud calls: found in the sources, counted without its docstring, and around the one handler."""

import pytest

from fsdl_deploy.scaling import entry_points
from fsdl_deploy.scaling.entry_points import ENTRY_POINTS, EntryPoint

SOURCE = '''
def other():
    pass


@first
@second(
    1
)
def target(event):
    """Says what it does,

    in three lines.
    """
    value = 1

    return value
'''


def test_lines_are_those_of_the_function_with_decorators_and_without_its_docstring(tmp_path, monkeypatch):
    monkeypatch.setattr(entry_points, "ROOT", tmp_path)
    (tmp_path / "app.py").write_text(SOURCE)
    point = EntryPoint("a cloud", "app.py", "target")
    assert point.source.splitlines()[0] == "@first" and "in three lines" not in point.source
    assert point.lines == 7


@pytest.mark.parametrize("point", ENTRY_POINTS, ids=lambda point: point.cloud)
def test_every_cloud_calls_the_one_handler(point):
    assert "respond(" in point.source and 3 <= point.lines <= 15
