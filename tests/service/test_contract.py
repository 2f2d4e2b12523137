"""What the service says about itself, made readable: every route, every metric once, sums over labels."""

import pytest

from fsdl_course.service import contract

PAGE = """# HELP read_total readings
# TYPE read_total counter
read_total{status="200"} 3.0
read_total{status="422"} 2.0
# TYPE read_total_seconds histogram
read_total_seconds_bucket{le="1"} 9.0
# TYPE workers gauge
workers 2
"""


def test_a_row_for_each_method_of_each_path():
    paths = {
        "/read": {"post": {"description": "reads"}},
        "/v2/models/{name}": {"get": {"description": "says"}, "post": {"description": "infers"}},
    }
    rows = contract.routes({"paths": paths}).rows
    assert rows == [["POST", "read", "reads"], ["GET", "{name}", "says"], ["POST", "{name}", "infers"]]


def test_the_service_s_own_contract_has_a_row_for_reading(client):
    rows = contract.routes(client.get("/openapi.json").json()).rows
    assert ["POST", "read"] in [row[:2] for row in rows] and all(row[2] for row in rows)


def test_a_family_counts_once_whatever_its_labels():
    assert contract.metric_families(PAGE) == {"read_total", "read_total_seconds", "workers"}


def test_a_metric_is_the_sum_over_its_labels_and_of_no_other_name():
    assert contract.metric(PAGE, "read_total") == 5 and contract.metric(PAGE, "workers") == 2
    with pytest.raises(KeyError, match="no metric read"):
        contract.metric(PAGE, "read")
