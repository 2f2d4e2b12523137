"""Running a target's programs: what they print, and what is said of one that fails."""

import numpy as np
import pytest
from fake_target import repository

from fsdl_deploy.targets import programs
from fsdl_deploy.targets.catalogue import TargetError

PROGRAM = """
import json, pathlib, sys
from fsdl_deploy.targets import card_files
widths = [image.shape[1] for image in card_files.read_cards(pathlib.Path(sys.argv[1]))]
print("progress, 100 %")
print(json.dumps({"widths": widths, "words": sys.argv[2:]}))
"""


def test_a_program_gets_cards_and_words_and_answers_in_json(tmp_path):
    target = repository(tmp_path)
    (target.folder / "widths.py").write_text(PROGRAM)
    images = [np.zeros((64, width), np.uint8) for width in (150, 90)]
    answer = programs.ask(target, "widths.py", images, "a", 1)
    assert answer == {"widths": [150, 90], "words": ["a", "1"]}


@pytest.mark.parametrize(
    ("program", "problem"),
    [
        ("print('no')", "not JSON"),
        ("", "not JSON"),
        ("print('[]')\nraise SystemExit('no kernel for scatter')", "status 1:\nno kernel for scatter"),
        ("print('here it is')\nraise SystemExit(3)", "status 3:\nhere it is"),
    ],
)
def test_a_program_that_fails(tmp_path, program, problem):
    target = repository(tmp_path)
    (target.folder / "widths.py").write_text(program)
    with pytest.raises(TargetError, match=problem):
        programs.ask(target, "widths.py")
