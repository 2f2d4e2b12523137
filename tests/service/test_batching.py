"""The batcher: size, deadline, errors to the right caller, cancellation, patience, ten thousand at once."""

import asyncio
import random
import threading
import time
from concurrent.futures import CancelledError, wait

import pytest
from polling import until

from fsdl_deploy.service.batching import Batcher, Full, TooLate


class Model:
    """Doubles numbers; notes its batches; waits at a gate when told to; fails on what it is told to."""

    def __init__(self, gated=False, bad=()):
        self.batches, self.bad = [], set(bad)
        self.gate, self.entered = threading.Event(), threading.Event()
        if not gated:
            self.gate.set()

    def __call__(self, items):
        self.batches.append(list(items))
        self.entered.set()
        assert self.gate.wait(20)
        if self.bad & set(items):
            raise ValueError(f"cannot double {sorted(self.bad & set(items))}")
        return [2 * item for item in items]


@pytest.fixture
def make_batcher():
    batchers = []

    def make(*args, **kwargs):
        batchers.append(Batcher(*args, **kwargs))
        return batchers[-1]

    yield make
    for batcher in batchers:
        if hasattr(batcher.run, "gate"):
            batcher.run.gate.set()
        batcher.close()


def held(make, **settings):
    """A batcher whose model is busy with item 0 until its gate opens."""
    model = Model(gated=True)
    batcher = make(model)
    first = batcher.submit(0)
    assert model.entered.wait(20)
    for name, value in settings.items():
        setattr(batcher, name, value)
    return model, batcher, first


def test_what_waits_leaves_together_when_the_model_is_free(make_batcher):
    model, batcher, first = held(make_batcher, max_batch=4)
    futures = [batcher.submit(n) for n in range(1, 7)]
    model.gate.set()
    assert [future.result(20) for future in [first, *futures]] == [0, 2, 4, 6, 8, 10, 12]
    assert model.batches == [[0], [1, 2, 3, 4], [5, 6]]


def test_workers_that_are_free_share_what_waits(make_batcher):
    sizes, both = [], threading.Barrier(2)

    def run(items):
        sizes.append(len(items))
        both.wait(20)  # both at the same time, so neither took everything
        return items

    ours = make_batcher(run, 16, workers=2)
    until(lambda: ours._free == 2)
    with ours._changed:  # all come at once
        futures = [ours.submit(number) for number in range(9)]
    assert [future.result(20) for future in futures] == list(range(9))
    assert sorted(sizes) == [4, 5]


def test_a_full_batch_does_not_wait_for_its_deadline(make_batcher):
    model = Model()
    batcher = make_batcher(model, 3, 3600)
    assert [future.result(20) for future in [batcher.submit(n) for n in range(3)]] == [0, 2, 4]
    assert model.batches == [[0, 1, 2]]


def test_the_deadline_sends_a_batch_that_is_not_full(make_batcher):
    model = Model()
    batcher = make_batcher(model, 100, 0.05)
    assert [future.result(20) for future in [batcher.submit(n) for n in range(3)]] == [0, 2, 4]


def test_the_deadline_counts_from_the_oldest_so_a_late_batch_goes_at_once(make_batcher, monkeypatch):
    model, batcher, _ = held(make_batcher, max_batch=100, delay=3600)
    batcher.submit(1)
    with batcher._changed:  # as if an hour had passed while the model was busy
        future, (arrived, item) = batcher._waiting.popitem()
        batcher._waiting[future] = arrived - 3601, item
    model.gate.set()
    assert future.result(20) == 2


def test_an_error_reaches_the_caller_who_caused_it_and_no_other(make_batcher):
    model, batcher, _ = held(make_batcher, max_batch=8)
    model.bad = {3}
    futures = [batcher.submit(n) for n in range(1, 6)]
    model.gate.set()
    with pytest.raises(ValueError, match=r"cannot double \[3\]"):
        futures[2].result(20)
    assert [future.result(20) for place, future in enumerate(futures) if place != 2] == [2, 4, 8, 10]


def test_a_result_that_is_an_exception_is_raised_without_running_the_others_again(make_batcher):
    runs = []

    def run(items):
        runs.append(len(items))
        return [ValueError("odd") if item % 2 else item for item in items]

    batcher = make_batcher(run, 2, 3600)
    even, odd = batcher.submit(2), batcher.submit(3)
    assert even.result(20) == 2
    with pytest.raises(ValueError, match="odd"):
        odd.result(20)
    assert runs == [2]


def test_a_model_with_too_few_results_is_an_error_for_all(make_batcher):
    batcher = make_batcher(lambda items: [], 1)
    with pytest.raises(RuntimeError, match="0 results for 1 items"):
        batcher.submit(1).result(20)


def test_the_thread_outlives_errors(make_batcher):
    model = Model(bad=[1])
    batcher = make_batcher(model)
    with pytest.raises(ValueError):
        batcher.submit(1).result(20)
    assert batcher.submit(2).result(20) == 4


def test_what_is_cancelled_before_its_batch_leaves_is_not_run(make_batcher):
    model, batcher, first = held(make_batcher, max_batch=8)
    futures = [batcher.submit(n) for n in range(1, 4)]
    assert futures[1].cancel()
    assert not first.cancel()  # it runs
    model.gate.set()
    assert [futures[0].result(20), futures[2].result(20), first.result(20)] == [2, 6, 0]
    with pytest.raises(CancelledError):
        futures[1].result(20)
    assert model.batches[1:] == [[1, 3]]


def test_a_batch_of_which_all_are_cancelled_is_not_run(make_batcher):
    model, batcher, _ = held(make_batcher, max_batch=8)
    futures = [batcher.submit(n) for n in range(1, 4)]
    assert all(future.cancel() for future in futures)
    model.gate.set()
    assert batcher.submit(9).result(20) == 18
    assert [len(batch) for batch in model.batches] == [1, 1]


def test_what_is_taken_back_leaves_the_queue_at_once(make_batcher):
    model, batcher, first = held(make_batcher, max_batch=8)
    futures = [batcher.submit(n) for n in range(1, 4)]
    assert futures[1].cancel() and not first.cancel()
    assert len(batcher) == 2  # so what it holds is free, though the model is busy
    model.gate.set()
    assert [futures[0].result(20), futures[2].result(20)] == [2, 6]
    assert model.batches[1:] == [[1, 3]]


def test_who_waited_too_long_is_told_and_not_run(make_batcher):
    model, batcher, _ = held(make_batcher, max_batch=8, patience=0)
    late = batcher.submit(1)
    model.gate.set()
    with pytest.raises(TooLate, match="it had waited for"):
        late.result(20)
    assert [1] not in model.batches


def test_a_queue_that_is_full_refuses(make_batcher):
    model, batcher, _ = held(make_batcher, max_waiting=2)
    futures = [batcher.submit(1), batcher.submit(2)]
    with pytest.raises(Full, match="2 items wait"):
        batcher.submit(3)
    model.gate.set()
    assert [future.result(20) for future in futures] == [2, 4]


def test_ten_thousand_callers_at_once_each_get_their_own(make_batcher):
    batcher = make_batcher(Model(), 16, workers=2)

    async def ask(n):
        return await asyncio.wrap_future(batcher.submit(n))

    async def everybody():
        return await asyncio.gather(*(ask(n) for n in range(10_000)))

    assert asyncio.run(everybody()) == [2 * n for n in range(10_000)]
    assert max(map(len, batcher.run.batches)) <= 16 and len(batcher) == 0


def test_a_caller_who_gives_up_in_asyncio_cancels_its_item(make_batcher):
    model, batcher, _ = held(make_batcher, max_batch=8)

    async def impatient():
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.wrap_future(batcher.submit(1)), 0.05)

    asyncio.run(impatient())
    model.gate.set()
    assert batcher.submit(2).result(20) == 4
    assert 1 not in [item for batch in model.batches for item in batch]


def test_close_runs_what_waits_and_takes_no_more():
    model, closing = Model(), threading.active_count()
    batcher = Batcher(model, 100, 3600)
    future = batcher.submit(4)
    batcher.close()
    assert future.result(0) == 8 and threading.active_count() == closing
    with pytest.raises(RuntimeError, match="closed"):
        batcher.submit(5)


@pytest.mark.parametrize("problem", [SystemExit(3), asyncio.CancelledError(), StopIteration()])
def test_the_thread_outlives_what_is_no_exception(make_batcher, problem):
    def run(items):
        if 1 in items:
            raise problem
        return items

    batcher = make_batcher(run)

    async def ask():
        return await asyncio.wait_for(asyncio.wrap_future(batcher.submit(1)), 5)

    with pytest.raises(RuntimeError, match="the model ended with"):
        asyncio.run(ask())
    assert batcher.submit(2).result(5) == 2


def test_without_a_deadline_only_full_batches_leave(make_batcher):
    batcher = make_batcher(Model(), 2, float("inf"))
    first = batcher.submit(1)
    assert not wait([first], 0.05).done
    assert batcher.submit(2).result(5) == 4 and first.result(5) == 2


def test_a_full_batch_that_free_workers_share_leaves_at_once(make_batcher):
    model = Model()
    batcher = make_batcher(model, 16, 3600, workers=2)
    until(lambda: batcher._free == 2)
    with batcher._changed:
        futures = [batcher.submit(number) for number in range(16)]
    assert [future.result(5) for future in futures] == [2 * number for number in range(16)]
    assert sorted(map(len, model.batches)) == [8, 8]


def test_what_is_left_by_full_batches_waits_for_its_own_deadline(make_batcher):
    model, batcher, _ = held(make_batcher, max_batch=4, delay=3600)
    futures = [batcher.submit(number) for number in range(1, 11)]
    model.gate.set()
    assert [future.result(5) for future in futures[:8]] == [2 * number for number in range(1, 9)]
    assert not wait(futures[8:], 0.05).done
    more = [batcher.submit(number) for number in (11, 12)]
    assert [future.result(5) for future in futures[8:] + more] == [18, 20, 22, 24]


def test_neighbours_of_a_bad_item_are_answered_as_soon_as_they_are_known(make_batcher):
    runs, gate = [], threading.Event()

    def run(items):
        runs.append(len(items))
        if 15 in items:
            assert len(items) > 1 or gate.wait(20)
            raise ValueError("bad")
        return items

    batcher = make_batcher(run, 16, 3600)
    futures = [batcher.submit(number) for number in range(16)]
    assert [future.result(5) for future in futures[:15]] == list(range(15))  # the last still runs
    gate.set()
    with pytest.raises(ValueError, match="bad"):
        futures[15].result(5)
    assert runs == [16, 8, 8, 4, 4, 2, 2, 1, 1]


def test_patience_also_ends_while_a_bad_batch_is_taken_apart(make_batcher):
    def run(items):
        time.sleep(0.1)
        raise ValueError("bad")

    batcher = make_batcher(run, 8, 3600, patience=0.15)
    begin = time.monotonic()
    futures = [batcher.submit(number) for number in range(8)]
    assert isinstance(futures[-1].exception(20), TooLate) and time.monotonic() - begin < 1


def test_who_has_left_takes_no_room_in_the_queue(make_batcher):
    model, batcher, _ = held(make_batcher, max_waiting=4, max_batch=8)
    for future in [batcher.submit(number) for number in range(4)]:
        assert future.cancel()
    futures = [batcher.submit(number) for number in range(4)]
    with pytest.raises(Full, match="4 items wait"):
        batcher.submit(5)
    assert len(batcher) == 4
    model.gate.set()
    assert [future.result(5) for future in futures] == [0, 2, 4, 6]


@pytest.mark.parametrize("delay", [0, 0.001])
def test_ten_thousand_callers_of_whom_some_leave_and_some_are_bad(make_batcher, delay):
    def run(items):
        if any(item % 101 == 0 for item in items):
            raise ValueError("bad")
        if any(item % 997 == 0 for item in items):
            raise SystemExit
        return [2 * item for item in items]

    batcher, chance = make_batcher(run, 16, delay, workers=2), random.Random(3)

    async def ask(number):
        await asyncio.sleep(chance.random() / 10)
        future = asyncio.wrap_future(batcher.submit(number))
        if chance.random() < 0.3:
            asyncio.get_running_loop().call_later(chance.random() / 100, future.cancel)
        return await future

    async def everybody():
        return await asyncio.gather(*(ask(number) for number in range(10_000)), return_exceptions=True)

    answers = asyncio.run(asyncio.wait_for(everybody(), 60))
    for number, answer in enumerate(answers):
        if isinstance(answer, asyncio.CancelledError):
            continue
        if number % 101 == 0:
            assert isinstance(answer, ValueError)
        elif number % 997 == 0:
            assert isinstance(answer, RuntimeError)
        else:
            assert answer == 2 * number
    assert sum(isinstance(answer, asyncio.CancelledError) for answer in answers) < 4000
    assert len(batcher) == batcher._due == 0


@pytest.mark.parametrize(
    "settings", [{"max_batch": 0}, {"workers": 0}, {"delay": -1}, {"delay": float("nan")}]
)
def test_settings_without_sense_are_refused(settings):
    with pytest.raises(ValueError, match="at least"):
        Batcher(Model(), **settings)
