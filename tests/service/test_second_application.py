"""The billing program, with the service and with the model inside, and what it weighs."""

import ast
import sys
from pathlib import Path

import numpy as np
import pytest

from fsdl_course.service import billing, billing_inside
from fsdl_course.service.weighing import run_and_weigh
from fsdl_deploy.cards import cards
from fsdl_deploy.picture import encode


def test_the_units_are_the_service_s_reading_less_the_last_one(server, tmp_path):
    card = tmp_path / "card.png"
    card.write_bytes(encode(np.full((32, 72), 255, np.uint8)))  # the fake service reads its width
    line, mebibytes = run_and_weigh(billing.__file__, server.url, card, 50)
    assert line == "22 units used" and 1 < mebibytes < 200


def test_billing_needs_nothing_that_is_installed():
    tree = ast.parse(Path(billing.__file__).read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names


def test_with_the_model_inside_the_units_are_the_same_and_cost_more_memory(tmp_path):
    card = next(iter(cards(1, "clean", split="test", seed=3)))
    (tmp_path / "card.png").write_bytes(encode(card.image))
    line, mebibytes = run_and_weigh(
        billing_inside.__file__, "student", tmp_path / "card.png", int(card.truth) - 7
    )
    assert line == "7 units used" and mebibytes > 40


def test_memory_is_that_of_the_program_after_it_has_printed(tmp_path):
    program = "import sys\nweights = b'x' * (100 * 2**20)\nprint('here', flush=True)\nsys.stdin.read()\n"
    (tmp_path / "large.py").write_text(program)
    (tmp_path / "small.py").write_text(program.replace("100", "0"))
    large, small = (run_and_weigh(tmp_path / f"{name}.py") for name in ("large", "small"))
    assert large.line == small.line == "here" and 90 < large.mebibytes - small.mebibytes < 110


def test_a_program_that_fails_is_not_weighed(tmp_path):
    (tmp_path / "broken.py").write_text("raise SystemExit('no card')")
    with pytest.raises(RuntimeError, match="status 1 and printed nothing: no card"):
        run_and_weigh(tmp_path / "broken.py")
