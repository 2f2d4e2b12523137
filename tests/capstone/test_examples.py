"""The course's own hand-ins get the verdicts that they were written for.

Two of them, in a short replay; ``FSDL_CAPSTONE=all`` tries every one in a whole replay, which takes minutes.
"""

import shutil
import sys
from pathlib import Path

import pytest

from fsdl_course.capstone import new, points, practice
from fsdl_course.capstone.brief import seed_of

pytestmark = pytest.mark.skipif(shutil.which("bwrap") is None, reason="the capstone needs bubblewrap")
BREAKS = {  # what each is written to break, and what may break with it
    "answers_first": ("lost", {"correctness", "refusals"}),  # a lost card that comes again is a new one
    "forgets_the_end": ("recovery", set()),
    "grows": ("memory", set()),
    "ready_too_soon": ("start", {"p99"}),  # the first cards of each start wait for the model, too
}
NEEDS = {"java": shutil.which("java"), "node": (Path(sys.prefix) / "stations/node/node_modules").is_dir()}
OF_THE_MACHINE = {"p99", "cost", "start", "versions"}  # what a busy machine may leave unknown


def verdicts_of(folder: Path, example: str, seconds: float) -> dict[str, str]:
    new.write(folder, example)
    verdicts = practice.judged(folder, seed_of("ann"), seed=0, seconds=seconds)
    for row in verdicts:
        print(row)  # pytest shows it if the test fails
    return {row.criterion: row.verdict for row in verdicts}


def test_a_service_that_answers_before_it_writes_loses_cards(tmp_path):
    verdicts = verdicts_of(tmp_path / "mine", "answers_first", seconds=9.0)
    assert verdicts["lost"] == points.BROKEN
    assert verdicts["refusals"] == points.HELD


@pytest.mark.whole_replay
@pytest.mark.parametrize("example", sorted(BREAKS))
def test_a_broken_example_breaks_what_it_says_and_nothing_else(tmp_path, example):
    verdicts = verdicts_of(tmp_path / "mine", example, practice.SECONDS)
    broken = {name for name, verdict in verdicts.items() if verdict == points.BROKEN}
    surely, perhaps = BREAKS[example]
    assert surely in broken and broken <= perhaps | {surely}


@pytest.mark.whole_replay
@pytest.mark.parametrize("example", sorted(set(new.BELOW) - set(new.BROKEN)))
def test_nothing_is_broken_in_any_language(tmp_path, example):
    if not NEEDS.get(example, True):
        pytest.skip(f"what {example} needs is not here")
    verdicts = verdicts_of(tmp_path / "mine", example, practice.SECONDS)
    assert points.BROKEN not in verdicts.values()
    assert {name for name, verdict in verdicts.items() if verdict == points.UNKNOWN} <= OF_THE_MACHINE
