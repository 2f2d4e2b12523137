"""``fsdl-deploy rollouts run`` and ``order``: real processes behind real proxies, killed and given orders."""

import http.client
import os
import random
import sys
import threading
from contextlib import suppress

import pytest
from polling import until

from fsdl_deploy import cli
from fsdl_deploy.rollouts import evidence
from fsdl_deploy.rollouts import state as on_disk
from fsdl_deploy.rollouts.canary import CanaryHandle
from fsdl_deploy.rollouts.command import command_line, steps_of
from fsdl_deploy.rollouts.controller import RolloutStep, alone, running
from fsdl_deploy.rollouts.split import buckets
from fsdl_deploy.rollouts.stage import staged
from fsdl_deploy.rollouts.state import DONE, FILE, PAUSED, ROLLED_BACK
from fsdl_deploy.running.watched import Watched

pytestmark = pytest.mark.station
STEPS = (RolloutStep(0.05, 3), RolloutStep(0.25, 20), RolloutStep(1.0, 40))


@pytest.fixture
def traffic(callers):
    """Customers who ask one after another for as long as the block lasts; what they got."""
    threads, stop, answers = [], threading.Event(), []

    def begin(stage):
        ask = callers(stage)

        def go_on():
            while not stop.is_set():
                with suppress(OSError, http.client.HTTPException):  # at the end the stage goes first
                    answers.append(ask())

        threads.append(threading.Thread(target=go_on, daemon=True))
        threads[-1].start()
        return answers

    yield begin
    stop.set()
    for thread in threads:
        thread.join(30)


def start(stage, folder, steps=STEPS) -> Watched:
    words = [sys.executable, "-m", "fsdl_deploy.cli", *command_line(stage, folder, steps, tick=0.1)]
    return Watched(words, dict(os.environ), None, grace=2)


@pytest.mark.parametrize("kind", ["good", "bad", "failing", pytest.param("slow", marks=pytest.mark.thorough)])
def test_killed_at_random_it_ends_as_it_would_have(proxy, fake, tmp_path, traffic, kind):
    rng = random.Random(f"{proxy} {kind}")
    with staged(proxy, kind, "good", make=fake) as stage:
        answers = traffic(stage)
        for _ in range(2):
            controller = start(stage, tmp_path / "state", (*STEPS[:2], RolloutStep(1.0, 400)))
            until(
                lambda controller=controller: (tmp_path / "state" / FILE).exists() or not controller.running
            )
            threading.Event().wait(rng.uniform(0, 1))
            controller.kill()
        controller = start(stage, tmp_path / "state", (*STEPS[:2], RolloutStep(1.0, 400)))
        until(lambda: not controller.running, 100, "the rollout's end")
        state = on_disk.load(tmp_path / "state")
        assert (state.status, state.share) == ((DONE, 1.0) if kind == "good" else (ROLLED_BACK, 0.0)), (
            state.why
        )
        begin = len(answers)
        until(lambda: len(answers) > begin + 20)
        assert {answer.version for answer in answers[begin + 1 :]} == {"good"}
        if kind != "failing":
            assert {answer.status for answer in answers} == {200}


def test_a_human_pauses_looks_and_rolls_back(nginx, fake, tmp_path, traffic, capsys):
    folder = tmp_path / "state"
    with staged("nginx", "good", "good", make=fake) as stage:
        traffic(stage)
        controller = start(stage, folder, (RolloutStep(0.25, 10**6),))
        until(lambda: on_disk.load(folder) and running(folder))
        assert cli.main(["rollouts", "order", str(folder), "pause"]) == 0
        until(lambda: on_disk.load(folder).status == PAUSED)
        assert cli.main(["rollouts", "order", str(folder), "status"]) == 0
        assert "paused, 25 % of the traffic" in capsys.readouterr().out
        assert cli.main(["rollouts", "order", str(folder), "rollback"]) == 0
        until(lambda: not controller.running)
        assert on_disk.load(folder).status == ROLLED_BACK


def test_without_a_controller_a_human_rolls_back_even_where_the_state_is_damaged(
    stage, ask, tmp_path, capsys
):
    stage.front.move(share=1.0)
    (tmp_path / FILE).write_text("{")
    words = ["rollouts", "order", str(tmp_path)]
    assert cli.main([*words, "status"]) == 1 and "is damaged" in capsys.readouterr().err
    assert cli.main([*words, "rollback"]) == 1 and "--canary" in capsys.readouterr().err
    assert cli.main([*words, "rollback", "--canary", str(stage.front.folder)]) == 0
    assert on_disk.load(tmp_path).status == ROLLED_BACK
    assert {ask(f"C{number:07d}").version for number in range(20)} == {"good"}


def test_steps_are_read_from_words():
    assert steps_of(["5:200", "25:300", "100:1"]) == (
        RolloutStep(0.05, 200),
        RolloutStep(0.25, 300),
        RolloutStep(1.0, 1),
    )


@pytest.mark.parametrize(
    "words", [["5"], ["x:1"], ["5:0"], ["500:1"], ["25:10", "5:10"], ["5:10", "5:10"], ["5:1.5"]]
)
def test_words_that_are_no_steps_are_refused(words):
    with pytest.raises(ValueError, match="--steps"):
        steps_of(words)


def test_percents_are_read_exactly():
    words = [f"{number / 100:g}:10" for number in range(1, 10_001)]
    assert [buckets(step.share) for step in steps_of(words)] == list(range(1, 10_001))


@pytest.mark.parametrize("words", [["0.001:10"], ["1e999999999:10"], ["nan:10"], ["1/0:10"]])
def test_percents_that_cannot_be_are_refused(words):
    with pytest.raises(ValueError, match="--steps"):
        steps_of(words)


def run_words(stage, folder) -> list[str]:
    return command_line(stage, folder, (RolloutStep(0.5, 10),))


@pytest.mark.parametrize(
    ("option", "value", "problem"),
    [("--stable-log", "{none}", "there is no file"), ("--stable-log", "{folder}", "there is no file"),
     ("--candidate-log", "{none}", "there is no file"), ("--labels", "{none}", "there is no file"),
     ("--tick", "inf", "--tick"), ("--tick", "1e300", "--tick"), ("--tick", "nan", "--tick"),
     ("--steps", "50.001:1", "--steps")],
)  # fmt: skip
def test_what_cannot_be_is_refused_before_anybody_is_moved(
    stage, nginx, tmp_path, capsys, option, value, problem
):
    value = value.format(none=tmp_path / "none.jsonl", folder=tmp_path)
    assert cli.main([*run_words(stage, tmp_path / "state"), option, value]) == 1
    assert problem in capsys.readouterr().err
    assert stage.front.handle.policy.share == 0 and not (tmp_path / "state").exists()


def test_one_proxy_takes_part_in_one_rollout(stage, tmp_path, capsys):
    with alone(stage.front.folder):
        assert cli.main(run_words(stage, tmp_path / "state")) == 1
    assert "another controller is at work" in capsys.readouterr().err
    assert not (tmp_path / "state").exists()


def test_where_no_controller_runs_orders_are_refused_and_not_left(tmp_path, capsys):
    (tmp_path / "file").touch()
    for folder in (tmp_path, tmp_path / "none", tmp_path / "file"):
        for word in ("pause", "resume", "stop"):
            assert cli.main(["rollouts", "order", str(folder), word]) == 1
            assert "no controller runs in" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("what", ["stable version gone", "other log"])
def test_a_candidate_that_is_compared_with_nothing_is_rolled_back(
    proxy, fake, tmp_path, traffic, monkeypatch, what
):
    monkeypatch.setattr(evidence, "PATIENCE", 0.3)
    with staged(proxy, "bad", "good", make=fake) as stage:
        (tmp_path / "other.jsonl").touch()
        traffic(stage)
        if what == "stable version gone":
            stage.front.move(share=1.0)
            stage.stable.kill()
        logs = ["--stable-log", str(tmp_path / "other.jsonl")] if what == "other log" else []
        words = [*command_line(stage, tmp_path / "state", (RolloutStep(0.9, 5),), tick=0.1), *logs]
        assert cli.main(words) == 1
        assert on_disk.load(tmp_path / "state").why.startswith("comparison")
        assert CanaryHandle.load(stage.front.folder).policy.share == 0


def test_without_a_canary_it_says_so(tmp_path, capsys):
    words = [
        "rollouts",
        "run",
        str(tmp_path),
        "--canary",
        str(tmp_path),
        "--stable-log",
        "a",
        "--candidate-log",
        "b",
    ]
    assert cli.main(words) == 1 and "no canary" in capsys.readouterr().err
    assert cli.main([*words, "--tick", "0"]) == 1 and "--tick" in capsys.readouterr().err
    assert cli.main(["rollouts", "order", str(tmp_path), "status"]) == 1
    assert "no rollout has begun" in capsys.readouterr().err
