"""Tables of replicas: each share is of the right replica, and each row is its own trial's."""

from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

from fsdl_course.scaling import balancer_tables
from fsdl_deploy.measuring.load_result import Load
from fsdl_deploy.scaling.failures import Trial
from fsdl_deploy.scaling.locust_load import Report
from fsdl_deploy.scaling.replicas import service


def trial(latencies=(10.0, 20.0), lost=0, answers=None, repeated=0, reopened=0) -> Trial:
    milliseconds = np.array(latencies, float)
    load = Load(len(milliseconds) + lost, 2.0, milliseconds, milliseconds)
    return Trial(load, Counter(answers or {}), repeated, reopened)


def test_the_one_asked_least_is_of_the_replicas_behind_the_balancer():
    trials = {1: trial(answers={7001: 5}), 2: trial((5, 5, 5), answers={7001: 8, 7002: 2})}
    rows = balancer_tables.by_count(trials, [7001, 7002, 7003]).rows
    assert rows == [["1", "1", "15", "20", "100%"], ["2", "2", "5", "5", "20%"]]


def test_locust_has_a_row_for_each_report():
    report = Report(requests=90, failures=3, rate=44.6, p50=21.0, p99=80.0, text="")
    assert balancer_tables.by_locust({3: report}).rows == [["3", "45", "21", "80", "3"]]


def test_the_slow_replica_is_that_of_its_port():
    trials = {"in turn": trial(answers={7001: 1, 7002: 3}), "nobody answered": trial(answers={})}
    rows = balancer_tables.by_choice(trials, slow=7001).rows
    assert [row[-1] for row in rows] == ["25%", "0%"]


def test_crashes_of_one_setting_stand_together_in_their_order():
    trials = [("none", trial(lost=1)), ("all", trial(repeated=4)), ("none", trial(lost=2))]
    rows = balancer_tables.crashes(iter(trials)).rows
    assert [row[:4] for row in rows] == [
        ["none", "3", "1", "0"],
        ["none", "4", "2", "0"],
        ["all", "2", "0", "4"],
    ]


def test_only_what_took_longer_than_its_own_time_out_waited_for_it():
    seen = trial((100, 500, 1100), lost=1)
    rows = balancer_tables.hangs({("passive", 1): seen, ("active", 0.4): seen}).rows
    assert [row[:5] for row in rows] == [["passive", "1", "4", "1", "1"], ["active", "0.4", "4", "1", "2"]]


def test_the_next_start_of_a_replica_is_of_the_new_version():
    replica = SimpleNamespace(server=service("v2"))
    assert replica.server.command != service("v1").command
    balancer_tables.to_version("v1")(replica)
    assert replica.server.command == service("v1").command


def test_updates_say_how_each_replica_was_replaced_and_what_clients_did():
    trials = {(False, True): trial(lost=2), (True, False): trial(reopened=1)}
    rows = balancer_tables.updates(trials).rows
    assert rows == [["stopped and started", "kept", "4", "2", "0"], ["drained", "new", "2", "0", "1"]]


def test_the_recorded_update_has_its_date_and_kept_connections_first():
    seen = {"requests": 40, "lost": 0, "reopened": 3}
    recorded = {"date": "2026-11-30", "kubernetes": "1.37", "machine": "a machine"}
    recorded |= {"new": seen | {"keep_alive": False, "reopened": 0}, "kept": seen | {"keep_alive": True}}
    table = balancer_tables.recorded_updates(recorded)
    assert table.rows == [["kept", "40", "0", "3"], ["new", "40", "0", "0"]]
    assert table.notes == ["2026-11-30, Kubernetes 1.37, a machine"]


@pytest.mark.parametrize(("port", "answered"), [(7003, "6"), (7001, "4")])
def test_resizing_counts_what_the_third_answered(port, answered):
    trials = {"from three to two": trial(answers={7001: 4, 7003: 6})}
    assert balancer_tables.resized(trials, third=port).rows == [["from three to two", "2", "0", answered]]
