"""The controller: steps, alarms, orders, and its own death between any two things that it does."""

import itertools
import subprocess
from dataclasses import replace

import pytest

from fsdl_deploy.rollouts import controller
from fsdl_deploy.rollouts import state as on_disk
from fsdl_deploy.rollouts.controller import (
    STEPS,
    RolloutController,
    RolloutStep,
    alone,
    decide,
    enter,
    order,
    running,
)
from fsdl_deploy.rollouts.guardrails import AnswerPair, Seen
from fsdl_deploy.rollouts.state import DONE, FILE, PAUSED, ROLLED_BACK, RUNNING, RolloutState, StateError
from fsdl_deploy.running.servers import ServerError
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
    handle = Handle()
    controlled = rollout(tmp_path, handle=handle)
    controlled.evidence.read = lambda: order(tmp_path, "stop") or []
    state = controlled.run()
    assert state.status == RUNNING and handle.moves == [0.05]
    assert rollout(tmp_path, *[[GOOD] * 10] * 3, handle=handle).run().status == DONE


def test_a_rollback_that_comes_while_another_order_is_obeyed_is_not_lost(tmp_path):
    class Slow(Handle):
        def move(self, share, shadow):
            super().move(share, shadow)
            if len(self.moves) == 2:
                order(tmp_path, "rollback")

    handle = Slow()
    controlled = rollout(tmp_path, [GOOD] * 10, handle=handle)
    assert controlled.run().why == "rolled back by order" and handle.moves == [0.05, 0.25, 0.0]
    assert not list(tmp_path.glob("order*"))
    later = rollout(tmp_path / "later", handle=Handle(), steps=(RolloutStep(0.05, 10**6),))
    later.evidence.looks = [[], []]
    reading = later.evidence.read

    def saving(folder, state, save=on_disk.save):
        save(folder, state)
        if state.status == PAUSED:
            order(folder, "rollback")

    def pausing():
        order(tmp_path / "later", "pause") if later.evidence.looks else None
        return reading()

    later.evidence.read = pausing
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(controller.on_disk, "save", saving)
        assert later.run().why == "rolled back by order"


def test_a_pause_moves_nobody(tmp_path):
    handle = Handle()
    controlled = rollout(tmp_path, handle=handle)
    controlled.become(enter(RolloutState(), SHORT, 0, 0))
    for word in ("pause", "resume"):
        order(tmp_path, word)
        controlled.look()
    assert handle.moves == [0.05]


def test_an_order_needs_a_folder(tmp_path):
    (tmp_path / "file").touch()
    for name in ("none", "file"):
        with pytest.raises(ValueError, match="is no folder of a rollout"):
            order(tmp_path / name, "pause")


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


def test_a_second_controller_is_refused_while_the_first_lives(tmp_path):
    assert not running(tmp_path) and not running(tmp_path / "none")
    with alone(tmp_path):
        assert running(tmp_path)
        with pytest.raises(RuntimeError, match="another controller is at work"):
            rollout(tmp_path).run()
    assert not running(tmp_path)


@pytest.mark.parametrize("problem", [TypeError("an int"), RecursionError(), KeyError("id")])
def test_what_nobody_foresaw_rolls_back(tmp_path, problem):
    handle = Handle()
    controlled = rollout(tmp_path, handle=handle)
    controlled.evidence.read = failing_reads(problem, 10**6)
    state = controlled.run()
    assert state.status == ROLLED_BACK and repr(problem) in state.why and handle.moves == [0.05, 0.0]


def test_a_log_that_cannot_be_read_for_a_moment_is_read_again_and_for_long_rolls_back(tmp_path):
    for name, times, status in (("moment", 3, DONE), ("long", 10**6, ROLLED_BACK)):
        controlled = rollout(tmp_path / name, *[[GOOD] * 10] * 3)
        controlled.evidence.read = failing_reads(OSError("no"), times, controlled.evidence.read)
        assert controlled.run().status == status


def failing_reads(problem, times, read=None):
    count = itertools.count()

    def failing():
        if next(count) < times:
            raise problem
        return read()

    return failing


@pytest.mark.parametrize(
    "problem",
    [OSError(28, "No space left"), subprocess.TimeoutExpired("nginx", 60), ServerError("it starts")],
)
@pytest.mark.parametrize("where", ["move", "save"])
def test_a_full_disk_or_a_proxy_that_starts_is_no_end(tmp_path, monkeypatch, problem, where):
    """And a candidate that has lost its share does not get it back because that could not be saved."""
    handle, problems = Handle(), [problem] * 3

    def failing(work):
        def once(*arguments, **settings):
            if problems and handle.moves:
                raise problems.pop()
            return work(*arguments, **settings)

        return once

    controlled = rollout(tmp_path, [BAD] * 40, handle=handle)
    if where == "move":
        handle.move = failing(handle.move)
    else:
        monkeypatch.setattr(controller.on_disk, "save", failing(on_disk.save))
    assert controlled.run().status == on_disk.load(tmp_path).status == ROLLED_BACK
    assert handle.moves == [0.05, 0.0] and not problems


def test_a_proxy_that_starts_anew_when_the_controller_does_is_tried_again(tmp_path):
    on_disk.save(tmp_path, RolloutState(share=0.05))
    handle, lines = Handle(), []
    work, problems = handle.move, [BalancerError("it starts")]

    def move(**shares):
        if problems:
            raise problems.pop()
        work(**shares)

    handle.move = move
    controlled = rollout(tmp_path, *[[GOOD] * 10] * 4, handle=handle)
    controlled.tell = lines.append
    assert controlled.run().status == DONE and any("it starts" in line for line in lines)


def test_a_controller_that_comes_anew_looks_before_it_gives_a_share_back(tmp_path):
    """The one before had moved to 0 and was killed before it could save that."""
    for name in ("alarm", "order"):
        (tmp_path / name).mkdir()
        on_disk.save(tmp_path / name, RolloutState(share=0.25))
        handle = Handle()
        if name == "order":
            order(tmp_path / name, "rollback")
        looks = [[BAD] * 40] if name == "alarm" else []
        assert rollout(tmp_path / name, *looks, handle=handle).run().status == ROLLED_BACK
        assert handle.moves == [0.0]


@pytest.mark.parametrize("bad", [(1.5, 1, 0), (-0.1, 1, 0), (0.5, 0, 0), (0.5, 1, 2)])
def test_a_step_that_cannot_be_is_refused(bad):
    with pytest.raises(ValueError, match="shares are from 0 to 1"):
        RolloutStep(*bad)
    with pytest.raises(ValueError, match="at least one step"):
        rollout(None, steps=())
    with pytest.raises(ValueError, match="is finer"):
        RolloutStep(0.00001, 1)
