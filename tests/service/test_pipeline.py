"""The batcher of two steps: what is prepared beside a run, in which order, and what goes wrong."""

import threading

import pytest

from fsdl_deploy.service.batching import TooLate
from fsdl_deploy.service.pipeline import Pipeline

WAIT = 20


class Steps:
    """A model that is busy with its first batch until ``go``; notes what was prepared and run."""

    def __init__(self):
        self.prepared, self.batches = [], []
        self.running, self.go, self.several = threading.Event(), threading.Event(), threading.Semaphore(0)

    def prepare(self, item):
        self.prepared.append(item)
        self.several.release()
        if item == "bad":
            raise ValueError("bad")
        return f"{item}, prepared"

    def run(self, items):
        self.batches.append(items)
        self.running.set()
        assert self.go.wait(WAIT)
        return [item.upper() for item in items]

    def wait_for(self, count):
        for _ in range(count):
            assert self.several.acquire(timeout=WAIT)


@pytest.fixture
def make_pipeline():
    pipelines = []

    def make(steps, *args, **kwargs):
        pipelines.append(Pipeline(steps.prepare, steps.run, *args, **kwargs))
        return pipelines[-1]

    yield make
    for pipeline in pipelines:
        pipeline.close(wait=False)


def held(make_pipeline, *args, **kwargs):
    steps = Steps()
    pipeline = make_pipeline(steps, *args, **kwargs)
    first = pipeline.submit("first")
    assert steps.running.wait(WAIT)
    steps.wait_for(1)
    return steps, pipeline, first


def test_while_the_model_runs_the_next_batch_is_prepared_and_then_runs_as_one(make_pipeline):
    steps, pipeline, first = held(make_pipeline, 4)
    futures = [pipeline.submit(item) for item in "abc"]
    steps.wait_for(3)  # though the model is still busy with the first
    assert steps.prepared == ["first", *"abc"] and len(steps.batches) == 1
    steps.go.set()
    assert first.result(WAIT) == "FIRST, PREPARED"
    assert [future.result(WAIT) for future in futures] == ["A, PREPARED", "B, PREPARED", "C, PREPARED"]
    assert [len(batch) for batch in steps.batches] == [1, 3]


def test_no_more_is_prepared_than_the_next_batches_hold(make_pipeline):
    steps, pipeline, _ = held(make_pipeline, 2)
    futures = [pipeline.submit(item) for item in "abcde"]
    steps.wait_for(2)
    assert not steps.several.acquire(timeout=0.1)
    assert len(pipeline) == 3
    steps.go.set()
    assert [future.result(WAIT)[0] for future in futures] == [*"ABCDE"]


def test_what_is_prepared_has_a_weight_with_an_end(make_pipeline):
    steps, pipeline, _ = held(make_pipeline, 16, weigh=len, most=len("a, prepared"))
    futures = [pipeline.submit(item) for item in "abcde"]
    steps.wait_for(2)  # the second is above the limit, and no third is begun
    assert not steps.several.acquire(timeout=0.1)
    steps.go.set()
    assert [future.result(WAIT)[0] for future in futures] == [*"ABCDE"]


def test_what_cannot_be_prepared_is_the_matter_of_its_caller_only(make_pipeline):
    steps, pipeline, _ = held(make_pipeline, 4)
    good, bad, other = (pipeline.submit(item) for item in ("a", "bad", "b"))
    with pytest.raises(ValueError, match="bad"):
        bad.result(WAIT)  # at once, while the model is busy
    steps.go.set()
    assert good.result(WAIT) == "A, PREPARED" and other.result(WAIT) == "B, PREPARED"
    assert all("bad" not in batch for batch in steps.batches)


def test_who_leaves_before_or_after_the_first_step_is_not_run(make_pipeline):
    steps, pipeline, _ = held(make_pipeline, 2)
    prepared, also, waiting = (pipeline.submit(item) for item in "abc")
    steps.wait_for(2)
    assert prepared.cancel() and waiting.cancel()
    assert len(pipeline) == 0
    steps.go.set()
    assert also.result(WAIT) == "B, PREPARED"
    pipeline.close()
    assert steps.prepared == ["first", "a", "b"]
    assert steps.batches == [["first, prepared"], ["b, prepared"]]


def test_patience_ends_for_what_is_prepared_too(make_pipeline):
    steps, pipeline, _ = held(make_pipeline, 2, patience=3600)
    late = pipeline.submit("a")
    steps.wait_for(1)
    pipeline.patience = -1
    steps.go.set()
    with pytest.raises(TooLate, match="had waited for"):
        late.result(WAIT)
    assert len(steps.batches) == 1


def test_close_answers_what_waits_and_ends_every_worker(make_pipeline):
    steps, pipeline, first = held(make_pipeline, 2)
    futures = [pipeline.submit(item) for item in "abcde"]
    pipeline.close(wait=False)
    with pytest.raises(RuntimeError, match="closed"):
        pipeline.submit("f")
    steps.go.set()
    assert [future.result(WAIT)[0] for future in (first, *futures)] == [*"FABCDE"]
    pipeline.close()
    assert not any(thread.is_alive() for thread in pipeline._threads)


def test_a_delay_waits_for_a_batch_to_fill(make_pipeline):
    steps = Steps()
    steps.go.set()
    pipeline = make_pipeline(steps, 3, 3600)
    futures = [pipeline.submit(item) for item in "abc"]
    assert [future.result(WAIT)[0] for future in futures] == [*"ABC"]
    assert [len(batch) for batch in steps.batches] == [3]


def test_more_runs_than_workers_are_refused():
    with pytest.raises(ValueError, match="at least as many"):
        Pipeline(str, list, runs=3, workers=2)
