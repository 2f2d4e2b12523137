"""A function's figures: what fits, what a cold start sums up to, what is billed and for how long it lived."""

from types import SimpleNamespace

import pytest

from fsdl_course.scaling import functions
from fsdl_deploy.scaling.cold_start import ColdStart
from fsdl_deploy.scaling.serverless_platform import Call


def call(billed: float, cold: bool = False, error: str = "") -> Call:
    given = {name: None for name in Call.__dataclass_fields__}
    return Call(**given | {"seconds": billed, "billed": billed, "cold": cold, "error": error})


class Cloud:
    """A function of which each call of a crowd starts an instance."""

    instances = 0

    def at_once(self, events, callers):
        self.instances = max(self.instances, callers)
        return [call(0.1, cold=number < callers) for number, _ in enumerate(events)]


def test_what_is_as_large_as_the_limit_does_not_fit():
    rows = functions.packages({"small": 100.0, "large": 250.0}, unpacked=250, image=10_240).rows
    assert [row[2:] for row in rows] == [["True", "True"], ["False", "True"]]


def test_the_first_answer_comes_after_all_steps_but_the_second_reading():
    rows = functions.cold_starts({"onnx": ColdStart(0.1, 0.2, 0.3, 0.4, 9.0)}).rows
    assert rows == [["onnx", "0.100", "0.200", "0.300", "0.400", "9.000", "1.000"]]


def test_each_step_knows_the_instances_before_and_after_it():
    calls, phases = functions.played(Cloud(), {}, [("one caller", 3, 1), ("a crowd", 4, 4)])
    assert [(phase.name, phase.before, phase.after) for phase in phases] == [
        ("one caller", 0, 1),
        ("a crowd", 1, 4),
    ]
    assert {name: len(some) for name, some in calls.items()} == {"one caller": 3, "a crowd": 4}


@pytest.mark.parametrize(("first", "billed"), [([5.0, 0.2, 0.4], 0.3), ([5.0], 2.0)])
def test_the_bill_of_a_warm_call_is_that_of_one_caller(first, billed):
    history = [(0.0, 1), (10.0, 2), (15.0, 0)]
    metrics = SimpleNamespace(errors=1, throttled=2, most=2, seconds=8.0, calls=4, peak=500 * 2**20)
    function = SimpleNamespace(metrics=metrics, history=history, settings=SimpleNamespace(memory=1000))
    calls = {"one caller": [call(seconds, cold=seconds == 5) for seconds in first], "a crowd": [call(9.0)]}
    results = functions.results(function, calls)
    assert results["billed"] == pytest.approx(billed)
    assert results["burst"] == {"calls": len(first) + 1, "failed": 3, "instances": 2}
    assert results["billed_share"] == 8 / 20 and results["memory_used"] == 0.5 and results["left"] == 0
