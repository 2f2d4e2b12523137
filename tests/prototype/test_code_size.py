"""How much code a program is: statements count, however their lines are broken; text does not."""

import pytest

from fsdl_deploy.prototype.code_size import statements

CODE = '''"""A program."""
import os
def first(
    a,
):
    """One."""
    # why
    return a
def second(): return [
    1]
'''


def test_statements_count_without_docstrings_and_whatever_their_lines(tmp_path):
    assert statements(CODE) == 5  # import, two functions, two returns
    (tmp_path / "program.py").write_text(CODE, encoding="utf-8")
    assert statements(tmp_path / "program.py", {"first"}) == 2


def test_a_value_over_several_lines_is_one_statement(tmp_path):
    file = tmp_path / "module.py"
    file.write_text(
        '"""Doc."""\n\n# why\nA = (\n    1\n)\n\n\ndef double(x):\n    """Doc."""\n    return 2 * x\n'
    )
    assert statements(file) == 3 and statements(file, {"double"}) == 2


def test_a_name_that_is_not_there_is_an_error_and_not_nothing():
    with pytest.raises(ValueError, match="'three'"):
        statements(CODE, {"first", "three"})
