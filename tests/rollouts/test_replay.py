"""Replays from the record: bad versions go back early, good ones do not; a missed bar is an exit status."""

import json

import pytest

from fsdl_deploy import cli
from fsdl_deploy.rollouts.answers import load, read_all
from fsdl_deploy.rollouts.controller import STEPS, RolloutStep
from fsdl_deploy.rollouts.replay import PLANS, Recorded, harm_by_plan, replay, rolled_back, rollout
from fsdl_deploy.rollouts.spoiled import SPOILED, spoiled
from fsdl_deploy.rollouts.state import DONE, ROLLED_BACK


@pytest.fixture(scope="module")
def answers():
    return spoiled(load())


@pytest.mark.parametrize("name", ["v3-bad", *SPOILED])
def test_a_bad_version_goes_back_at_five_percent_or_less(answers, name):
    outcomes = replay(answers, name, seeds=8)
    assert rolled_back(outcomes, 0.05) == 1
    assert all(each.harmed < 400 for each in outcomes)


@pytest.mark.parametrize("name", ["v2-int8", "teacher", "v2"])
def test_a_good_version_gets_everybody(answers, name):
    outcomes = replay(answers, name, seeds=6)
    assert rolled_back(outcomes) == 0 and {each.status for each in outcomes} == {DONE}
    assert all(each.pairs >= sum(step.pairs for step in STEPS) for each in outcomes)


def test_the_same_seed_is_the_same_rollout_and_another_is_another(answers):
    recorded = Recorded(answers.pairs("v3-bad"))
    assert rollout(recorded, 3) == rollout(recorded, 3)
    assert len({rollout(recorded, seed).harmed for seed in range(6)}) > 1


def test_in_the_shadow_nobody_is_harmed(answers):
    steps = (RolloutStep(0.0, 3000, 0.05), *STEPS)
    outcomes = replay(answers, "v3-bad", 5, steps)
    assert all(each.status == ROLLED_BACK and each.harmed == 0 for each in outcomes)


def test_harm_by_plan_is_most_for_everybody_at_once(answers):
    table = harm_by_plan(answers, "v3-bad", seeds=3)
    harmed = {row[0]: float(row[2].replace(",", "")) for row in table.rows}
    assert list(harmed) == list(PLANS)
    assert (
        harmed["everybody at once"]
        > harmed["1, 5, 25, 100 %"]
        > harmed["shadow of 5 %, then 1, 5, 25, 100 %"]
    )


def test_the_command_says_by_its_exit_status_whether_the_bar_is_met(capsys, tmp_path):
    words = ["rollouts", "replay", "--seeds", "3", "--candidates"]
    assert cli.main([*words, "v3-bad", "v2-int8", "--json", str(tmp_path / "replay.json")]) == 0
    record = json.loads((tmp_path / "replay.json").read_text())["candidates"]
    assert record["v3-bad"]["back_at_5_percent"] == 1 and record["v2-int8"]["back"] == 0
    assert cli.main([*words, "v3-bad", "--good", "v3-bad"]) == 1
    assert cli.main([*words, "v2-int8", "--good"]) == 1
    assert capsys.readouterr().err.count("the bar is missed") == 2


def test_bad_input_is_a_sentence(tmp_path, capsys):
    assert cli.main(["rollouts", "replay", "--seeds", "0"]) == 1
    assert cli.main(["rollouts", "replay", "--candidates", "v9"]) == 1
    assert cli.main(["rollouts", "replay", "--answers", str(tmp_path / "none.json")]) == 1
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 3 and "v9" in errors[1] and "none.json" in errors[2]


def test_answers_of_other_models_are_replayed_the_same(tmp_path):
    from fsdl_deploy.reader import OnnxReader

    own = read_all({"v2": OnnxReader("v2"), "worse": OnnxReader("v1")}, customers=80)
    assert rolled_back(replay(own, "worse", 3), 0.05) == 1
