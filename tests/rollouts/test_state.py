"""The state on disk: whole or not at all; a damaged one is a sentence that says what to do."""

import json

import pytest

from fsdl_deploy.rollouts import state as on_disk
from fsdl_deploy.rollouts.state import FILE, RUNNING, RolloutState, StateError


def test_what_was_saved_is_loaded_with_its_history(tmp_path):
    state = (
        RolloutState().changed("step 1", share=0.05, step=1, pairs=12, offset=99).changed("more", share=0.25)
    )
    on_disk.save(tmp_path, state)
    assert on_disk.load(tmp_path) == state
    assert [share for _, share, _ in state.history] == [0.05, 0.25]
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_no_file_is_no_state(tmp_path):
    assert on_disk.load(tmp_path) is None


WHOLE = json.dumps({"status": RUNNING, "step": 1, "share": 0.05, "history": [[1.0, 0.05, "step 1"]]})


@pytest.mark.parametrize(
    "text",
    ["", "{", WHOLE[:40], "[]", "null", "7", '"running"', "\x00\xff", "{}", WHOLE.replace("0.05", "5", 1),
     WHOLE.replace('"step": 1', '"step": -1'), WHOLE.replace('"step": 1', '"step": "x"'),
     WHOLE.replace("running", "strolling"), WHOLE.replace("0.05", "NaN", 1),
     WHOLE.replace("0.05", '"0.05"', 1),
     WHOLE.replace("[[1.0", "[[NaN"), WHOLE.replace('"status"', '"state"'), WHOLE[:-1] + ', "history": [1]}'],
)  # fmt: skip
def test_a_damaged_state_is_one_sentence_that_says_what_to_do(tmp_path, text):
    (tmp_path / FILE).write_bytes(text.encode("latin-1"))
    with pytest.raises(StateError, match=r"is damaged .*rollouts order .* rollback") as caught:
        on_disk.load(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_state_of_later_or_earlier_fields_only_needs_its_history(tmp_path):
    (tmp_path / FILE).write_text(WHOLE)
    assert on_disk.load(tmp_path).share == 0.05
