"""A real Prometheus beside the real service: what it collects, which alerts reach the pager, what is left."""

import json
import shutil
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

import httpx2
import matplotlib.pyplot as plt
import psutil
import pytest
from fake_service import fake_server
from jsonschema import Draft202012Validator
from polling import until

from fsdl_deploy.monitoring import alerts, dashboard
from fsdl_deploy.monitoring.alertmanager import Alertmanager
from fsdl_deploy.monitoring.billing import Billing
from fsdl_deploy.monitoring.pager import Pager
from fsdl_deploy.monitoring.prometheus import Prometheus, PrometheusError, quicker
from fsdl_deploy.paths import ROOT
from fsdl_deploy.reading import Reading
from fsdl_deploy.running import stations
from fsdl_deploy.running.servers import ServerError
from fsdl_deploy.scaling.failures import card_body

pytestmark = pytest.mark.station
GRAFANA = ROOT / "infra" / "monitoring" / "grafana"
SPEED = 240


@pytest.fixture
def file(tmp_path):
    return tmp_path / "pager.jsonl"


@pytest.fixture(scope="module")
def live():
    """A service that is asked all the time, billing that takes it, and a Prometheus that knows both."""
    stations.python("prometheus")
    ended = threading.Event()
    with fake_server() as server, Billing({"C1": "00005"}) as billing:

        def customers():
            with httpx2.Client(base_url=server.url) as client:
                headers = {"content-type": "application/json"}
                while not ended.wait(0.02):
                    client.post("/read", content=card_body(), headers=headers)
                    billing.take("C1", Reading("00007", 0.9, (), "v"))

        thread = threading.Thread(target=customers, daemon=True)
        thread.start()
        targets = {"reader": [server.port], "billing": [billing.port]}
        with Prometheus(targets, speed=SPEED) as prometheus:
            yield prometheus
        ended.set()
        thread.join()


def test_times_shrink_and_names_stay():
    text = "expr: rate(a:rate5m[5m]) / b[1h] offset 1m + c[5m:15s]\nfor: 10m\n"
    text += "scrape_interval: 15s\ngroup_wait: 30s"
    expected = (
        "expr: rate(a:rate5m[1250ms]) / b[15000ms] offset 250ms + c[1250ms:63ms]\n"
        "for: 2500ms\nscrape_interval: 200ms\n"
    )
    assert quicker(text, 240) == expected + "group_wait: 125ms"
    assert quicker(text, 1) == text
    for speed in (0.5, 0, float("nan")):
        with pytest.raises(ValueError, match="at least 1"):
            quicker(text, speed)
    for path in alerts.files():
        assert [rule.name for rule in alerts.rules([path])]


def test_it_collects_what_the_service_counts(live):
    until(lambda: live.query('up{job="reader"} == 1'))  # a scrape may be late on a busy machine
    (rate,) = until(lambda: live.query("sum(rate(reader_requests_total[2s])) > 1"))
    assert 1 < rate.value < 60
    (confidence,) = until(lambda: live.query("reader:confidence:mean15m"))
    assert confidence.value == pytest.approx(0.9)
    end = live.query("time()")[0].value
    (line,) = live.range("sum(reader_pictures_total)", end - 1, end, 0.25)
    assert 2 <= len(line.times) <= 5 and line.values == sorted(line.values)
    assert live.query("nothing_at_all") == [] and live.query("1 + 1")[0].value == 2
    with pytest.raises(PrometheusError, match="parse error"):
        live.query("sum(")
    with pytest.raises(PrometheusError, match="did not come in"):
        live.wait(lambda: False, 0.1)


def test_only_the_watchdog_fires_while_all_is_well(live):
    until(lambda: live.query("reader:bad_ratio:rate1h"))
    # A busy machine may keep a service from answering for a moment, and an hour of the rules is short here.
    until(lambda: set(live.alerts()) == {"Watchdog"})


def test_every_panel_has_data(live):
    live.wait(lambda: live.query("reader:bad_ratio:rate1h"))
    end = live.query("time()")[0].value
    for panel in dashboard.panels():
        lines = dashboard.data(panel, live, end - 2, end)
        assert lines and all(values for _, values in lines.values()), panel.title
        assert not any("{{" in name for name in lines)
    figure = dashboard.draw(live, end - 2, end)
    assert [place.get_title() for place in figure.axes] == [panel.title for panel in dashboard.panels()]
    plt.close(figure)


def test_the_questions_of_the_dashboard_ask_for_what_is_exported(live):
    pages = [httpx2.get(f"http://127.0.0.1:{port}/metrics").text for (port,) in live.targets.values()]
    asked = [
        alerts.Rule(panel.title, dashboard.filled_in(question), alert=True)
        for panel in dashboard.panels()
        for question in panel.questions.values()
    ]
    known = [rule for rule in alerts.rules() if not rule.alert]
    problems = alerts.problems([*known, *asked], alerts.exported(*pages))
    assert [line for line in problems if "alertstate" not in line] == []


def test_a_dead_service_reaches_the_pager_and_nothing_is_left(file):
    with ExitStack() as running:
        pager, server = running.enter_context(Pager(file)), running.enter_context(fake_server())
        billing = running.enter_context(Billing({}))
        manager = running.enter_context(Alertmanager(pager, speed=SPEED))
        targets = {"reader": [server.port], "billing": [billing.port]}
        prometheus = running.enter_context(Prometheus(targets, speed=SPEED, alertmanager=manager.port))
        until(lambda: "Watchdog" in [line["alert"] for line in pager.lines("heartbeat")])
        until(lambda: all(line["status"] == "resolved" for line in pager.lines("pager")[-1:]))
        before = len(pager.lines("pager"))  # none, unless the machine is busy
        server.kill()
        line = until(lambda: pager.lines("pager")[before:])[0]
        assert (line["alert"], line["status"]) == ("ReaderDown", "firing")
        assert "no replica" in line["summary"]
        server.start()
        until(lambda: pager.lines("pager")[-1]["status"] == "resolved")
        folders = [prometheus.folder, Path(manager._folder.name)]
        processes = prometheus._server.processes() + manager._server.processes()
    assert not any(map(Path.exists, folders)) and not any(map(psutil.Process.is_running, processes))


def test_a_rule_that_is_none_is_named(tmp_path):
    rules = tmp_path / "rules.yml"
    rules.write_text("groups: [{name: a, rules: [{alert: A, expr: 'sum('}]}]")
    with Billing({}) as billing, pytest.raises(PrometheusError, match="did not take its rules"):
        Prometheus({"billing": [billing.port]}, rules=[rules]).__enter__()


def test_a_configuration_that_is_none_shows_its_log():
    stations.python("prometheus")
    with pytest.raises(ServerError, match="Prometheus ended with"):
        Prometheus({"reader": [1]}, paths={"reader": ["/metrics"]}).__enter__()


def test_without_the_station_one_sentence(monkeypatch):
    monkeypatch.setattr(stations.Station, "built", False)
    with pytest.raises(stations.NotBuilt, match="The station prometheus"):
        Prometheus({"reader": [1]}).__enter__()


@pytest.mark.parametrize("body", [b"no json", b"[]", b'{"alerts": [{}]}', b'{"alerts": 7}'])
def test_the_pager_refuses_what_is_no_message(file, body):
    with Pager(file) as pager:
        assert httpx2.post(f"{pager.url}/pager", content=body).status_code == 400
        assert pager.lines() == []
    with pytest.raises(httpx2.ConnectError):
        httpx2.post(f"{pager.url}/pager", content=body)


def test_the_pager_as_a_program(file):
    command = [sys.executable, "-m", "fsdl_deploy.monitoring.pager", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            url = process.stdout.readline().split()[-1]
            alert = {"labels": {"alertname": "A"}, "status": "firing", "annotations": {}}
            assert httpx2.post(f"{url}/tickets", json={"alerts": [alert]}).status_code == 200
            assert json.loads(process.stdout.readline())["receiver"] == "tickets"
        finally:
            process.kill()
    assert json.loads(file.read_text())["alert"] == "A"


SCHEMA = {  # what Grafana needs of a dashboard that is imported
    "type": "object",
    "required": ["title", "uid", "schemaVersion", "panels", "templating", "time", "refresh", "annotations"],
    "properties": {
        "uid": {"type": "string", "maxLength": 40},
        "schemaVersion": {"type": "integer", "minimum": 36},
        "refresh": {"type": "string", "pattern": r"^\d+[smh]$"},
        "annotations": {"required": ["list"]},
        "panels": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id", "type", "title", "gridPos"],
                "properties": {
                    "id": {"type": "integer", "minimum": 1},
                    "gridPos": {
                        "required": ["x", "y", "w", "h"],
                        "properties": {
                            "x": {"type": "integer", "minimum": 0, "maximum": 23},
                            "w": {"type": "integer", "minimum": 1, "maximum": 24},
                        },
                    },
                    "options": {"type": "object"},
                    "targets": {
                        "minItems": 1,
                        "items": {"required": ["expr", "refId", "legendFormat", "datasource"]},
                    },
                },
                "if": {"properties": {"type": {"not": {"const": "row"}}}},
                "then": {"required": ["targets", "fieldConfig", "datasource", "options"]},
            },
        },
    },
}


def test_the_dashboard_is_one_that_grafana_takes():
    board = json.loads(dashboard.FILE.read_text())
    Draft202012Validator(SCHEMA).validate(board)
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    cells = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        own = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not own & cells, f"{panel['title']} lies on another panel"
        cells |= own
        for target in panel.get("targets", ()):
            assert (
                target["datasource"] == panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
            )
    assert [variable["name"] for variable in board["templating"]["list"]] == ["datasource"]
    assert all(panel.unit in dashboard.UNITS for panel in dashboard.panels())


def test_the_dashboard_is_what_its_program_builds(tmp_path):
    program = shutil.copy(GRAFANA / "dashboard.py", tmp_path)
    shutil.copy(GRAFANA / "reader.json", tmp_path)
    command = [stations.python("grafana"), program, "--check"]
    assert subprocess.run(command).returncode == 0
    (tmp_path / "reader.json").write_text("{}")
    changed = subprocess.run(command, capture_output=True, text=True)
    assert changed.returncode == 1 and "run it without --check" in changed.stderr


def test_a_panel_with_a_unit_of_its_own_is_named(tmp_path):
    text = dashboard.FILE.read_text().replace('"reqps"', '"furlongs"')
    (tmp_path / "board.json").write_text(text)
    with pytest.raises(ValueError, match="Requests a second: the unit furlongs"):
        dashboard.panels(tmp_path / "board.json")
