"""A part of a program is shown whole: not a line too few, not a line of the next part."""

import dataclasses

import pytest

from fsdl_deploy.targets import catalogue, program_text

PROGRAM = '''"""What it is."""

SIZES = {
    "a": 1,
}


def first(
    x,
) -> int:
    """Doubled."""

    return 2 * x


def second():
    return 3
'''


@pytest.fixture
def target(tmp_path):
    (tmp_path / "build.py").write_text(PROGRAM)
    return dataclasses.replace(catalogue.target("onnxruntime_mobile"), folder=tmp_path)


def test_a_part_ends_before_the_next(target):
    assert program_text.part(target, "SIZES") == 'SIZES = {\n    "a": 1,\n}'
    assert (
        program_text.part(target, "def first")
        == 'def first(\n    x,\n) -> int:\n    """Doubled."""\n\n    return 2 * x'
    )
    assert program_text.part(target, "def second") == "def second():\n    return 3"


def test_a_part_that_is_not_there(target):
    with pytest.raises(catalogue.TargetError, match="begins with 'def third'"):
        program_text.part(target, "def third")
