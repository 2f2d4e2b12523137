"""The controller: steps, alarms, orders, and its own death between any two things that it does."""

from dataclasses import replace

import pytest

from fsdl_deploy.rollouts import controller
from fsdl_deploy.rollouts import state as on_disk
from fsdl_deploy.rollouts.controller import STEPS, RolloutController, RolloutStep, decide, enter, order
from fsdl_deploy.rollouts.guardrails import AnswerPair, Seen
from fsdl_deploy.rollouts.state import DONE, FILE, PAUSED, ROLLED_BACK, RUNNING, RolloutState, StateError
from fsdl_deploy.scaling.policy import BalancerError

GOOD = AnswerPair(Seen("1", 0.95), Seen("1", 0.95))
BAD = AnswerPair(Seen("2", 0.95), Seen("1", 0.95))
SHORT = (RolloutStep(0.05, 10), RolloutStep(0.25, 10), RolloutStep(1.0, 10))


class Handle:
    """A proxy that notes where it was moved."""

    def __init__(self):
        self.moves: list[float] = []

    def move(self, share, shadow):
        self.moves.append(share)


class Pairs:
    """Evidence that has some pairs more at each look; read anew, it has them all again."""

    offset = 0

    def __init__(self, *looks):
        self.looks = list(looks)

    def read(self):
        return self.looks.pop(0) if self.looks else []

    def labelled(self):
        return []


def rollout(folder, *looks, handle=None, steps=SHORT, **settings):
    return RolloutController(
        folder, handle or Handle(), Pairs(*looks), steps, tick=0.01, tell=lambda text: None, **settings
    )


def test_a_good_candidate_gets_every_step_and_then_all(tmp_path):
    handle = Handle()
    state = rollout(tmp_path, *[[GOOD] * 10] * 3, handle=handle).run()
    assert state.status == DONE and state.share == 1 and on_disk.load(tmp_path) == state
    assert [share for share in dict.fromkeys(handle.moves)] == [0.05, 0.25, 1.0]
    assert [share for _, share, _ in state.history] == [0.05, 0.25, 1.0, 1.0]


def test_a_bad_candidate_gets_nothing_more_after_the_alarm(tmp_path):
    handle = Handle()
    state = rollout(tmp_path, [GOOD] * 10, [BAD] * 40, [GOOD] * 1000, handle=handle).run()
    assert state.status == ROLLED_BACK and handle.moves[-1] == state.share == 0
    assert "disagreement" in state.why


def test_no_step_is_taken_before_it_has_its_pairs():
    begin = enter(RolloutState(), STEPS, 0, 0)
    assert decide(begin, STEPS, STEPS[0].pairs - 1, []) is begin
    after = decide(begin, STEPS, STEPS[0].pairs, [])
    assert after.share == STEPS[1].share and after.pairs == STEPS[0].pairs
    assert decide(after, STEPS, STEPS[0].pairs + STEPS[1].pairs - 1, []) is after


def test_a_paused_rollout_takes_no_step_but_still_rolls_back():
    paused = replace(enter(RolloutState(), SHORT, 0, 0), status=PAUSED)
    assert decide(paused, SHORT, 10**6, []) is paused
    assert decide(paused, SHORT, 10, ["errors: many"]).status == ROLLED_BACK


@pytest.mark.parametrize("status", [DONE, ROLLED_BACK])
def test_what_is_over_stays_over_and_the_proxy_is_put_right(tmp_path, status):
    """A controller that died before the last move: the next one makes it, and no other."""
    share = 1.0 if status == DONE else 0.0
    on_disk.save(tmp_path, RolloutState(status=status, share=share))
    handle = Handle()
    assert rollout(tmp_path, [BAD] * 100, handle=handle).run().status == status
    assert handle.moves == [share]


class Died(BaseException):
    """The controller's end, as by SIGKILL: nothing of it goes on."""


def dying(number, counted, monkeypatch):
    """Before and after each step of its work it may die: it does so at the ``number``-th."""

    def around(work):
        def once(*arguments, **settings):
            step(counted, number)
            value = work(*arguments, **settings)
            step(counted, number)
            return value

        return once

    monkeypatch.setattr(controller.on_disk, "save", around(on_disk.save))
    monkeypatch.setattr(Handle, "move", around(Handle.move))
    monkeypatch.setattr(Pairs, "read", around(Pairs.read))


def step(counted, number):
    counted.append(1)
    if len(counted) == number:
        raise Died


@pytest.mark.parametrize("last", ["good", "bad"])
def test_it_may_die_between_any_two_things_and_the_next_one_ends_the_same(tmp_path, last):
    looks = [[GOOD] * 10, [GOOD] * 10, [GOOD] * 10] if last == "good" else [[GOOD] * 10, [BAD] * 40]
    status, share = (DONE, 1.0) if last == "good" else (ROLLED_BACK, 0.0)
    number, deaths = 1, 0
    while True:
        folder, handle, counted = tmp_path / str(number), Handle(), []
        with pytest.MonkeyPatch.context() as patch:
            dying(number, counted, patch)
            try:
                rollout(folder, *looks, handle=handle).run()
                break  # it has fewer steps than that
            except Died:
                deaths += 1
        # The next controller reads the same logs from the beginning.
        state = rollout(folder, *looks, handle=handle).run()
        assert (state.status, state.share, handle.moves[-1]) == (status, share, share)
        assert handle.moves == sorted(handle.moves) or last == "bad"
        number += 1
    assert deaths > 10


def test_more_traffic_comes_after_it_is_saved_and_less_before(tmp_path):
    """Whoever dies in between leaves less with the candidate than the state says, never more."""
    seen = []

    class Looking(Handle):
        def move(self, share, shadow):
            saved = on_disk.load(tmp_path)
            seen.append((share, saved.share if saved else None))

    rollout(tmp_path, [GOOD] * 10, [BAD] * 40, handle=Looking()).run()
    assert all(share <= saved for share, saved in seen)
    assert seen[-1] == (0.0, 0.25)


def test_where_the_proxy_does_not_take_it_the_rollback_is_tried_again(tmp_path):
    class Stubborn(Handle):
        refusals = 3

        def move(self, share, shadow):
            if share == 0 and self.refusals:
                self.refusals -= 1
                raise BalancerError("nginx did not take it")
            super().move(share, shadow)

    handle, lines = Stubborn(), []
    controlled = rollout(tmp_path, [BAD] * 40, handle=handle)
    controlled.tell = lines.append
    assert controlled.run().status == ROLLED_BACK and handle.moves[-1] == 0
    assert sum("tried again: nginx did not take it" in line for line in lines) == 3


def test_a_step_that_the_proxy_does_not_take_is_not_in_the_state(tmp_path):
    class Refusing(Handle):
        def move(self, share, shadow):
            if share == 0.25:
                raise BalancerError("no")
            super().move(share, shadow)

    controlled = rollout(tmp_path, [GOOD] * 10, handle=Refusing())
    controlled.state = None
    controlled.become(enter(RolloutState(), SHORT, 0, 0))
    controlled.look()
    assert on_disk.load(tmp_path).share == controlled.state.share == 0.05


def test_a_human_rolls_back_whatever_the_evidence_says(tmp_path):
    handle = Handle()
    order(tmp_path, "rollback")
    state = rollout(tmp_path, *[[GOOD] * 10] * 3, handle=handle).run()
    assert state.status == ROLLED_BACK and state.why == "rolled back by order" and handle.moves[-1] == 0
    assert not (tmp_path / "order").exists()


def test_a_human_pauses_and_lets_it_go_on(tmp_path):
    controlled = rollout(tmp_path, *[[GOOD] * 10] * 9)
    controlled.become(enter(RolloutState(), SHORT, 0, 0))
    for word, status in (("pause", PAUSED), ("resume", RUNNING)):
        order(tmp_path, word)
        controlled.look()
        assert controlled.state.status == on_disk.load(tmp_path).status == status
        controlled.look()
        assert controlled.state.step == (0 if word == "pause" else 1)


def test_a_human_stops_the_controller_and_the_traffic_stays(tmp_path):
    order(tmp_path, "stop")
    handle = Handle()
    state = rollout(tmp_path, *[[GOOD] * 10] * 3, handle=handle).run()
    assert state.status == RUNNING and set(handle.moves) == {0.05}
    assert rollout(tmp_path, *[[GOOD] * 10] * 3, handle=handle).run().status == DONE


def test_an_unknown_order_is_refused_and_one_in_the_file_is_named(tmp_path):
    with pytest.raises(ValueError, match="pause, resume, rollback, stop"):
        order(tmp_path, "faster")
    (tmp_path / "order").write_text("faster")
    lines = []
    controlled = rollout(tmp_path, *[[GOOD] * 10] * 3)
    controlled.tell = lines.append
    assert controlled.run().status == DONE and any("'faster' is no order" in line for line in lines)


def test_a_damaged_state_stops_it_before_it_moves_anybody(tmp_path):
    (tmp_path / FILE).write_text('{"status": "run')
    handle = Handle()
    with pytest.raises(StateError):
        rollout(tmp_path, [GOOD] * 10, handle=handle).run()
    assert handle.moves == []


def test_a_second_controller_is_refused_while_the_first_lives(tmp_path, monkeypatch):
    monkeypatch.setattr(controller, "running", lambda folder: 1)
    with pytest.raises(RuntimeError, match="process 1 is the controller"):
        rollout(tmp_path).run()


def test_a_process_of_the_same_number_that_is_another_does_not_count(tmp_path):
    (tmp_path / "controller.pid").write_text("1 12345.0")
    assert controller.running(tmp_path) is None
    assert rollout(tmp_path, *[[GOOD] * 10] * 3).run().status == DONE


@pytest.mark.parametrize("bad", [(1.5, 1, 0), (-0.1, 1, 0), (0.5, 0, 0), (0.5, 1, 2)])
def test_a_step_that_cannot_be_is_refused(bad):
    with pytest.raises(ValueError, match="shares are from 0 to 1"):
        RolloutStep(*bad)
    with pytest.raises(ValueError, match="at least one step"):
        rollout(None, steps=())
