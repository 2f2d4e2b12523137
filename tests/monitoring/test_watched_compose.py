"""Prometheus, Alertmanager and Grafana as containers: the compose file, read by docker compose."""

import shutil
import subprocess

import pytest
import yaml

from fsdl_deploy.monitoring.prometheus import FOLDER
from fsdl_deploy.paths import ROOT

FILE = ROOT / "infra" / "monitoring" / "compose.yaml"


def test_ports_are_this_machines_and_what_is_mounted_is_there():
    document = yaml.safe_load(FILE.read_text())
    for name, service in document["services"].items():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert source in document["volumes"] or (FILE.parent / source).exists(), volume


def test_what_prometheus_asks_is_a_container():
    jobs = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"]
    targets = [target for job in jobs for config in job["static_configs"] for target in config["targets"]]
    services = yaml.safe_load(FILE.read_text())["services"]
    assert {target.split(":")[0] for target in targets} - {"billing"} <= services.keys()
    assert "http://pager:8080" in (FOLDER / "alertmanager.yml").read_text() and "pager" in services


def test_docker_compose_reads_it(monkeypatch):
    command = ["docker", "compose"]
    if not shutil.which("docker") or subprocess.run([*command, "version"], capture_output=True).returncode:
        pytest.skip("no docker compose")
    command += ["-f", str(FILE), "config", "--quiet"]
    monkeypatch.setenv("GRAFANA_PASSWORD", "a test")
    assert subprocess.run(command).returncode == 0
    monkeypatch.delenv("GRAFANA_PASSWORD")
    refused = subprocess.run(command, capture_output=True, text=True)
    assert refused.returncode and "choose a password" in refused.stderr
