"""The alert rules of the course: examined by promtool, and against what the services really export."""

import copy
import re

import httpx2
import pytest
import yaml
from fake_service import WidthReader, fake_server

from fsdl_deploy.customers import Customers
from fsdl_deploy.monitoring import alerts, promtool
from fsdl_deploy.monitoring.billing import Billing, last_month, verdict
from fsdl_deploy.monitoring.prometheus import FOLDER
from fsdl_deploy.reading import Reading
from fsdl_deploy.running import stations
from fsdl_deploy.service.app import create_app

pytestmark = pytest.mark.station
SLO, MODEL, PRESENCE = (FOLDER / "rules" / f"{name}.yml" for name in ("slo", "model", "presence"))


@pytest.fixture(scope="module")
def exported():
    """What a service that has just started and billing export."""
    stations.python("prometheus")
    with fake_server() as server, Billing({"C1": "00005"}) as billing:
        urls = [f"{server.url}/metrics", f"http://127.0.0.1:{billing.port}/metrics"]
        return alerts.exported(*(httpx2.get(url).text for url in urls))


def test_promtool_reads_the_rules_and_the_configuration():
    assert promtool.check_rules(*alerts.files())
    verdict = promtool.check_config(FOLDER / "prometheus.yml")
    assert verdict, verdict.text


@pytest.mark.parametrize("file", promtool.tests(), ids=lambda file: file.stem)
def test_the_rules_do_what_their_tests_expect(file):
    verdict = promtool.test_rules(file)
    assert verdict, verdict.text


def test_every_alert_fires_in_a_test_and_is_silent_in_another():
    assert alerts.untested(alerts.rules(), promtool.tests()) == []
    lonely = alerts.Rule("Lonely", "vector(1)", alert=True)
    assert alerts.untested([lonely], promtool.tests()) == ["Lonely fires in no test"]
    always = alerts.Rule("Watchdog", "vector(1)", alert=True)
    assert alerts.untested([always], [FOLDER / "tests" / "presence.yml"]) == ["Watchdog is silent in no test"]


def test_all_that_the_rules_ask_for_is_exported(exported):
    assert alerts.problems(alerts.rules(), exported) == []


def test_what_the_rules_take_for_readings_are_the_routes_that_read():
    (condition,) = set(re.findall(r'path=~"([^"]*)"', SLO.read_text() + PRESENCE.read_text()))
    routes = [route for route in create_app(WidthReader()).routes if getattr(route, "methods", None)]
    posts = {each.path for each in routes if "POST" in each.methods}
    listing = "/v2/repository/index"  # a POST that reads nothing
    assert {each.path for each in routes if re.fullmatch(condition, each.path)} == posts - {listing}
    assert len(posts) > 3 and listing in posts


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("reader_confidance_sum < 1", "which nobody exports: is reader_confidence_sum meant"),
        ("rate(reader_requests[5m]) > 1", "is reader_requests_total meant"),
        ('rate(reader_requests_total{code="500"}[5m]) > 1', "has no label code; it has instance, job, path"),
        ('rate(reader_requests_total{status="5xx"}[5m]) > 1', 'has status="5xx"; there are 200, 429, 500'),
        ('rate(reader_requests_total{status=~"6.."}[5m]) > 1', "has status"),
        ('reader_request_seconds_bucket{le="0.25"} > 1', "there are 0.002, 0.005, 0.01"),
        ('reader_request_seconds_bucket{le=".5"} > 1', "no reader_request_seconds_bucket has le"),
        ("histogram_quantile(0.99, rate(reader_request_seconds_bucket[5m])) > 500", "is 10 at most"),
        ("(histogram_quantile(0.5, sum by (le) (rate(reader_confidence_bucket[5m])))) >= 1", "is 1 at most"),
        ('billing_readings_total{verdict="wrong"} > 0', "there are implausible, taken, unsure"),
        ("reader:bad_ratio:rate5min > 1", "is reader:bad_ratio:rate5m meant"),
        ("sum(", "unclosed left parenthesis"),
        ('{__name__="reader_nothing"} > 0', "reader_nothing, which nobody exports"),
    ],
)
def test_a_rule_that_can_never_fire_is_named(exported, expression, problem):
    (sentence,) = alerts.problems([*alerts.rules(), alerts.Rule("Broken", expression, alert=True)], exported)
    assert "Broken" in sentence and problem in sentence


@pytest.mark.parametrize(
    "expression",
    [
        'reader_requests_total{status!="600", path!~"x|y"} > 0',
        'reader_requests_total{region=""} > 0',
        'up{job="anything", instance="there"} == 0',
        "histogram_quantile(0.99, rate(reader_request_seconds_bucket[5m])) < 500",
        "histogram_quantile(0.99, rate(reader_request_seconds_bucket[5m])) > 5",
        "reader:bad_ratio:rate5m > 1",
        "vector(1)",
    ],
)
def test_a_rule_that_can_fire_is_not(exported, expression):
    assert alerts.problems([*alerts.rules(), alerts.Rule("Fine", expression, alert=True)], exported) == []


BROKEN = [
    (SLO, "slo", 'status=~"5..|429"', 'status="5xx"'),  # a value that no service sends
    (SLO, "slo", 'status=~"5..|429"', 'code=~"5.."'),  # a label that it does not have
    (SLO, "slo", 'path=~"/read|', 'path=~".*|/read|'),  # probes thin the errors out
    (SLO, "slo", 'status=~"2..|5..|429"', 'status!="404"'),  # strangers do
    (SLO, "slo", " >= 10", " >= 1"),  # one of three at night wakes somebody
    (SLO, "slo", "14.4 * 0.001", "14.4 * 0.1"),  # a percentage where a share is meant
    (SLO, "slo", "rate(reader_requests_total", "delta(reader_requests_total"),  # which knows no reset
    (SLO, "slo", 'le="0.5"', 'le="500"'),  # milliseconds
    (MODEL, "model", "reader_confidence_sum", "reader_confidance_sum"),
    (MODEL, "model", "reader:grey:mean15m < 110 or ", ""),
    (MODEL, "model", "< 0.8", "< 80"),  # percent
    (MODEL, "model", 'verdict="implausible"} > 0.05', 'verdict="implausible"} > 5'),
    (MODEL, "model", " and sum(increase(reader_confidence_count[15m])) >= 50", ""),
    (MODEL, "model", "scalar(sum(rate(billing_readings_total[1h])) > 0)", "3600"),
    (PRESENCE, "presence", 'absent(up{job="reader"} == 1)', 'up{job="reader"} == 0'),  # none known, none down
    (PRESENCE, "presence", "absent(billing_readings_total)", "billing_readings_total == 0"),
    (PRESENCE, "presence", "unless on (instance)", "and on (instance)"),
    (PRESENCE, "presence", ' or sum_over_time((max(up{job="reader"}) == bool 0)[5m:15s]) >= 8', ""),
    (PRESENCE, "presence", "max(up", "min(up"),  # one of several is no outage
    (PRESENCE, "presence", "[5m:15s]) >= 8", "[5m:15s]) >= 4"),  # nor is a minute in which one starts
    (PRESENCE, "presence", "unless sum(increase(billing", "and sum(increase(billing"),
    (PRESENCE, "presence", "reader_pictures_total[30m])) > 50", "reader_pictures_total[30m])) > 1"),
    (PRESENCE, "presence", 'path=~"/read|', 'path=~"/metrics|/read|'),  # Prometheus' questions hide a hang
]


def latest(case):
    """The last minute at which a case of promtool's asks."""
    return max(int(question["eval_time"].removesuffix("m")) for question in case["promql_expr_test"])


@pytest.mark.parametrize(("file", "tests", "right", "wrong"), BROKEN, ids=range(len(BROKEN)))
def test_a_broken_rule_fails_its_tests(tmp_path, file, tests, right, wrong):
    for folder in ("rules", "tests"):
        (tmp_path / folder).mkdir()
    text = file.read_text()
    assert right in text
    (tmp_path / "rules" / file.name).write_text(text.replace(right, wrong))
    copied = tmp_path / "tests" / f"{tests}.yml"
    document = yaml.safe_load((FOLDER / "tests" / f"{tests}.yml").read_text())
    document["tests"] = [
        case for case in document["tests"] if latest(case) <= 80
    ]  # the long ones take seconds
    copied.write_text(yaml.safe_dump(document))
    verdict = promtool.test_rules(copied)
    assert not verdict and "FAILED" in verdict.text


def test_which_alerts_fire_on_series_of_ones_own():
    series = {
        'reader_requests_total{path="/read", status="200"}': "0+600x120",
        'reader_requests_total{path="/read", status="500"}': "0x60 0+60x60",
    }
    firing = promtool.firing(series, ["59m", "90m"], [SLO])
    assert firing["59m"] == [] and "ReaderBurnsFast" in firing["90m"]
    with pytest.raises(ValueError, match="promtool: "):
        promtool.firing({"reader_requests_total{": "1x5"}, ["1m"], [SLO])


def test_what_promtool_refuses_comes_with_its_reason(tmp_path):
    document = yaml.safe_load(PRESENCE.read_text())
    broken = copy.deepcopy(document)
    broken["groups"][0]["rules"][0]["expr"] = "absent(up"
    (tmp_path / "broken.yml").write_text(yaml.safe_dump(broken))
    verdict = promtool.check_rules(tmp_path / "broken.yml")
    assert not verdict and "unclosed left parenthesis" in verdict.text


@pytest.mark.parametrize(
    ("digits", "confidence", "expected"),
    [
        ("01250", 0.9, "taken"),
        ("01000", 0.9, "taken"),
        ("04000", 0.9, "taken"),
        ("00999", 0.9, "implausible"),
        ("04001", 0.9, "implausible"),
        ("1250", 0.9, "implausible"),
        ("001250", 0.9, "implausible"),
        ("00000", 0.49, "unsure"),
        ("", 0.9, "implausible"),
    ],
)
def test_meters_only_rise(digits, confidence, expected):
    assert verdict(Reading(digits, confidence, (), "v"), "01000") == expected


def test_true_readings_are_plausible():
    customers = Customers(300, seed=2)
    before = last_month(customers, "2026-08")
    for number in range(customers.n):
        meter = customers.customer(number)
        digits = str(customers.reading(number, "2026-09")).zfill(meter.register)
        assert verdict(Reading(digits, 0.9, (), "v"), before[meter.name]) == "taken"


def test_billing_counts_from_zero():
    with Billing({"C1": "00005"}) as billing:
        url = f"http://127.0.0.1:{billing.port}/metrics"
        assert httpx2.get(url).text.count('billing_readings_total{verdict="') == 3
        assert billing.take("C1", Reading("00007", 0.9, (), "v")) == "taken"
        assert 'billing_readings_total{verdict="taken"} 1.0' in httpx2.get(url).text
        with pytest.raises(KeyError):
            billing.take("C2", Reading("00007", 0.9, (), "v"))
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(url)
