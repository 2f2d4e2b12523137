"""Limits of places: exactly at a limit there is a bill, just beyond there is none, and a reason in words."""

import dataclasses

import pytest

from fsdl_deploy.managed import hosting
from fsdl_deploy.managed.month import Month
from fsdl_deploy.managed.place_limits import MEGABYTE
from fsdl_deploy.managed.prices import prices

MONTH = Month(1000.0, 1.0, 0.002, gpu_rate=1000.0)
FUNCTIONS = ("Lambda", "Lambda, provisioned")
ENDPOINTS = tuple(place for place in hosting.PLACES | hosting.GPUS if place.startswith("SageMaker ml."))


@pytest.mark.parametrize(
    ("places", "change", "limit", "reason"),
    [
        (FUNCTIONS, "seconds", 900, "ends a call after 900 s, and this one takes"),
        (FUNCTIONS, "bytes_in", 6 * MEGABYTE, "takes 6 MB in a body at most, and the request has"),
        (FUNCTIONS, "bytes_out", 6 * MEGABYTE, "takes 6 MB in a body at most, and the answer has"),
        (FUNCTIONS, "memory", 10240, "has no 10241 MB of memory, but 10240 at most"),
        (("SageMaker serverless",), "seconds", 60, "ends a call after 60 s"),
        (("SageMaker serverless",), "bytes_in", 4 * MEGABYTE, "takes 4 MB in a body"),
        (("SageMaker serverless",), "bytes_out", 4 * MEGABYTE, "takes 4 MB in a body"),
        (("SageMaker serverless",), "memory", 6144, "has no 6145 MB of memory, but 6144 at most"),
        (ENDPOINTS[:2], "seconds", 60, "ends a call after 60 s"),
        (ENDPOINTS, "bytes_in", 25 * MEGABYTE, "takes 25 MB in a body"),
        (ENDPOINTS, "bytes_out", 25 * MEGABYTE, "takes 25 MB in a body"),
    ],
)
def test_at_the_limit_there_is_a_bill_and_beyond_it_a_reason(places, change, limit, reason):
    at, beyond = (dataclasses.replace(MONTH, **{change: limit + more}) for more in (0, 1))
    for place in places:
        assert hosting.bill(place, at).total > 0 and hosting.why_not(place, at) == ""
        assert hosting.bill(place, beyond) is None
        with pytest.raises(ValueError, match=f"^{place} {reason}"):
            hosting.had(place, beyond)
        assert reason in hosting.not_had(beyond)[place]
        assert any(
            note.startswith(f"No bill for {place}: it {reason}") for note in hosting.table(beyond).notes
        )
        assert place not in [row[0] for row in hosting.table(beyond).rows]


def test_less_memory_makes_a_call_longer_than_a_function_may_take():
    here = dataclasses.replace(MONTH, seconds=500.0)
    assert hosting.why_not("Lambda", here) == ""
    assert "ends a call after 900 s, and this one takes 1,000.0" in hosting.why_not(
        "Lambda", dataclasses.replace(here, memory=1769 / 2)
    )


def test_ones_own_containers_and_servers_take_what_functions_and_endpoints_cannot():
    heavy = dataclasses.replace(MONTH, seconds=1000.0, bytes_in=1e9, memory=20_000, gpu_rate=None)
    assert [
        bill.place for bill in hosting.bills(heavy) if bill.place.startswith(("Lambda", "SageMaker"))
    ] == []
    assert len(hosting.bills(heavy)) == len(hosting.PLACES) - len(hosting.not_had(heavy)) == 4


def test_a_gpus_call_is_its_own_time_and_what_is_done_beside():
    slow = dataclasses.replace(MONTH, gpu_rate=1 / 59, around=0.9)
    assert hosting.why_not("SageMaker ml.g5.xlarge", slow) == ""
    late = hosting.why_not("SageMaker ml.g5.xlarge", dataclasses.replace(slow, around=1.1))
    assert late.startswith("ends a call after 60 s") and hosting.why_not("EC2 g5.xlarge", slow) == ""
    assert "gpu_rate" in hosting.why_not("EC2 g5.xlarge", dataclasses.replace(slow, gpu_rate=None))


def test_each_limit_is_the_vendors_own_and_the_table_in_use_decides():
    known = prices()
    names = [
        name
        for name in known
        if name.startswith(("function_most", "function_payload", "endpoint")) and known[name].limit
    ]
    assert len(names) == 9 and {known[name].origin for name in names} == {"vendor"}
    raised = known | {"function_payload": dataclasses.replace(known["function_payload"], value=8)}
    here = dataclasses.replace(MONTH, bytes_in=7e6)
    assert hosting.bill("Lambda", here) is None and hosting.bill("Lambda", here, raised).total > 0
