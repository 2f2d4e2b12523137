"""What lesson 01 counts and times, beyond that it runs: the parts it names are there, and all are counted."""

import ast

import pytest

from fsdl_course.notebooks import conversion
from fsdl_deploy.paths import ROOT


@pytest.fixture(scope="module")
def cells() -> list[str]:
    notebook = conversion.read(ROOT / "notebooks" / "01_prototype.ipynb")
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def assigned(cells: list[str], name: str):
    """The literal that some cell assigns to ``name``."""
    nodes = [node for cell in cells for node in ast.walk(ast.parse(cell)) if isinstance(node, ast.Assign)]
    (value,) = [node.value for node in nodes if getattr(node.targets[0], "id", "") == name]
    return ast.literal_eval(value)


def parts_of(module: str) -> set[str]:
    body = ast.parse((ROOT / "fsdl_deploy" / module).read_text(encoding="utf-8")).body
    return {node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def test_of_the_page_all_is_counted_but_how_it_is_started(cells):
    left_out = parts_of("prototype/gradio_page.py") - assigned(cells, "page_parts")
    assert left_out == {"launch", "running", "add_arguments", "main"}
    assert assigned(cells, "page_parts") <= parts_of("prototype/gradio_page.py")


def test_a_port_needs_the_student_and_what_it_calls_and_nothing_else(cells):
    named = assigned(cells, "to_port")
    teacher, training = {"Residual", "Attention", "Teacher"}, {"multiply_adds"}
    assert parts_of("models.py") - named["models"] == teacher | training | {"MeterReader"}
    assert named["models"] <= parts_of("models.py")
    assert all(named[module] == parts_of(f"{module}.py") for module in ("preprocess", "ctc"))


def test_a_reading_is_timed_on_one_thread_and_all_with_both_models(cells):
    (cell,) = [cell for cell in cells if "threads=threads" in cell]
    assert '("v2", "teacher")' in cell and "(1, cores)" in cell
