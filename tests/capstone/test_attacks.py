"""Services that cheat or attack lose what they should, and the grader comes to its end.

Real trials: some in a short replay; ``FSDL_CAPSTONE=all`` runs each in a whole replay, some 20 minutes.
"""

import shutil

import pytest
from capstone_attacks import TRIES

from fsdl_course.capstone import points, practice
from fsdl_course.capstone.brief import PRIVACY, brief_of, seed_of

pytestmark = pytest.mark.skipif(shutil.which("bwrap") is None, reason="the capstone needs bubblewrap")


def test_anns_brief_forbids_pictures():
    assert brief_of(seed_of("ann")).privacy == PRIVACY[0]


@pytest.mark.whole_replay
@pytest.mark.parametrize("name", TRIES)
def test_an_attack_loses_what_it_should_and_nothing_that_it_has_not_touched(tmp_path, name):
    attack = TRIES[name]
    attack.write(tmp_path / "mine")
    verdicts = practice.judged(tmp_path / "mine", seed_of(attack.student), seed=3)
    for row in verdicts:
        print(row)  # pytest shows it if the test fails
    lost = {row.criterion for row in verdicts if row.verdict != points.HELD}
    assert attack.loses <= lost <= attack.loses | attack.may
    assert all(row.evidence or row.verdict == points.UNKNOWN for row in verdicts if row.criterion in lost)


def test_who_looks_around_finds_nothing_and_harms_nobody(tmp_path):
    """It kills, reads and overwrites what it can reach, and then serves: not a card is lost by it."""
    TRIES["looks_around"].write(tmp_path / "mine")
    verdicts = practice.judged(tmp_path / "mine", seed_of("ann"), seed=3, seconds=9.0, out=tmp_path / "out")
    result = {row.criterion: row.verdict for row in verdicts}
    for row in verdicts:
        print(row)
    assert result["correctness"] == result["lost"] == points.HELD
    assert result["recovery"] != points.BROKEN and result["refusals"] != points.BROKEN
    assert (tmp_path / "out" / "history.jsonl").exists()
