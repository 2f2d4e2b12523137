"""A Prometheus for as long as a ``with`` lasts: it asks services how they are, keeps that, and raises alerts

It listens on loopback at a free port, keeps what it learns in a temporary folder and ends with whoever
started it. Its rules are those of ``infra/monitoring/prometheus``. ``speed`` makes all their times shorter:
a lesson need not wait an hour for an alert that looks back an hour. Knows nothing of what is measured.
"""

import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from fsdl_deploy.paths import ROOT
from fsdl_deploy.running import stations
from fsdl_deploy.running.homed import HomedServer
from fsdl_deploy.running.servers import Server

FOLDER = ROOT / "infra" / "monitoring" / "prometheus"
QUICKEST = 0.2  # seconds between two questions, and the most that an answer may take then
_TIMES = re.compile(
    r"(\[|(?<=\d[smhd]):|\boffset |\bfor: |\w+_(?:interval|wait): |\binterval: )(\d+)(ms|s|m|h|d)\b"
)
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400}


class PrometheusError(RuntimeError):
    """Prometheus did not take a question or a rule; the message has its reason."""


def program(name: str) -> Path:
    """A program of the station: ``prometheus``, ``promtool``, ``prometheus-alertmanager``, ``amtool``.

    Raises NotBuilt where the station is not built.
    """
    station = stations.station("prometheus")
    if not station.built:
        raise stations.NotBuilt(station.not_built())
    return station.programs / name


def quicker(text: str, speed: float) -> str:
    """Rules or a configuration with every time in it divided by ``speed``: ``[5m:15s]``, ``offset 1d``,
    ``for: 1m``, intervals.

    Names stay: ``reader:bad_ratio:rate5m`` then looks back five minutes / ``speed``. Raises ValueError for a
    speed below 1.
    """
    if not speed >= 1:
        raise ValueError(f"speed is at least 1, not {speed}")
    if speed == 1:
        return text

    def shorter(match: re.Match) -> str:
        seconds = int(match[2]) * _SECONDS[match[3]] / speed
        least = QUICKEST if match[1].endswith("interval: ") else 0.001
        return f"{match[1]}{_duration(max(seconds, least))}"

    return _TIMES.sub(shorter, text)


def _duration(seconds: float) -> str:
    return f"{math.ceil(1000 * seconds)}ms"


@dataclass(frozen=True)
class Series:
    """One line of an answer: its labels, and its values by time (seconds since 1970)."""

    labels: Mapping[str, str]
    times: list[float]
    values: list[float]

    @property
    def value(self) -> float:
        """The last value."""
        return self.values[-1]


class Prometheus(HomedServer):
    """``with Prometheus({"reader": [service.port]}) as prometheus:``, then ``prometheus.query("up")``.

    ``targets``: the loopback ports of each job. ``alertmanager``: the port of one. ``rules``: files instead
    of the course's. ``paths``: where a job answers if not at ``/metrics``. Raises ServerError with its log if
    it does not start, NotBuilt without the station.
    """

    def __init__(
        self,
        targets: Mapping[str, Sequence[int]],
        *,
        speed: float = 1,
        alertmanager: int | None = None,
        rules: Sequence[Path] | None = None,
        paths: Mapping[str, str] | None = None,
    ):
        self.targets, self.speed, self.alertmanager = targets, speed, alertmanager
        self.rules = sorted((FOLDER / "rules").glob("*.yml")) if rules is None else list(rules)
        self.paths = paths or {}

    def open(self) -> None:
        self.start().settle()

    def start(self) -> "Prometheus":
        """Start it, without rules: it begins to ask its targets after some five seconds, see ``settle``."""
        words = [program("prometheus"), "--web.listen-address=127.0.0.1:{port}", "--log.level=warn"]
        words += ["--web.enable-lifecycle", f"--rules.alert.resend-delay={_duration(60 / self.speed)}"]
        self.home("prometheus")
        try:
            self._write()
            words += [f"--config.file={self.folder / 'prometheus.yml'}"]
            words += [f"--storage.tsdb.path={self.folder / 'data'}"]
            self._server = Server(words, "/-/ready", name="Prometheus", grace=5).start()
        except BaseException:
            self.close()
            raise
        return self

    def settle(self, seconds: float = 60) -> "Prometheus":
        """Wait until it has asked every target once, then give it the rules.

        With the rules from the start, an alert about missing targets would be right for a moment, and with
        a high ``speed`` a moment is long enough. Raises PrometheusError.
        """
        expected = {f"{job} 127.0.0.1:{port}" for job, ports in self.targets.items() for port in ports}
        self.wait(
            lambda: expected == {name for name, how in self.health().items() if how != "unknown"}, seconds
        )
        if self.alertmanager:
            self.wait(lambda: self._ask("alertmanagers")["activeAlertmanagers"], seconds)
        for file in self.rules:
            text = quicker(file.read_text(encoding="utf-8"), self.speed)
            (self.folder / "rules" / file.name).write_text(text, encoding="utf-8")
        answer = self._http("POST", "/-/reload")
        if answer.status_code != 200:
            raise PrometheusError(
                f"Prometheus did not take its rules: {answer.text.strip()} {self._server.log(3)}"
            )
        return self

    def wait(self, condition: Callable[[], object], seconds: float = 60):
        """The first true value of ``condition()``, asked again and again. Raises PrometheusError."""
        deadline = time.monotonic() + seconds
        while not (value := condition()):
            if time.monotonic() > deadline:
                raise PrometheusError(
                    f"what was waited for did not come in {seconds:g} s; targets: {self.health()}"
                )
            time.sleep(0.02)
        return value

    @property
    def configuration(self) -> str:
        """What it was told."""
        return (self.folder / "prometheus.yml").read_text(encoding="utf-8")

    def query(self, expression: str, time: float | None = None) -> list[Series]:
        """The answer now, or as of ``time``; a number has no labels. Raises PrometheusError."""
        result = self._ask("query", query=expression, **({} if time is None else {"time": time}))
        if result["resultType"] in ("scalar", "string"):
            return [_series({}, [result["result"]])]
        pairs = [(line["metric"], line.get("values") or [line["value"]]) for line in result["result"]]
        return [_series(labels, values) for labels, values in pairs]

    def range(self, expression: str, start: float, end: float, step: float) -> list[Series]:
        """The answer at every ``step`` seconds from ``start`` to ``end``. Raises PrometheusError."""
        result = self._ask("query_range", query=expression, start=start, end=end, step=step)
        return [_series(line["metric"], line["values"]) for line in result["result"]]

    def alerts(self, state: str = "firing") -> dict[str, str]:
        """The alerts in this state (``firing``, ``pending``) by name, with their summary."""
        active = [alert for alert in self._ask("alerts")["alerts"] if alert["state"] == state]
        return {alert["labels"]["alertname"]: alert["annotations"].get("summary", "") for alert in active}

    def health(self) -> dict[str, str]:
        """``up``, ``down`` or ``unknown`` (not asked yet) for each target, as ``JOB HOST:PORT``."""
        active = self._ask("targets")["activeTargets"]
        return {f"{t['labels']['job']} {t['labels']['instance']}": t["health"] for t in active}

    def _write(self) -> None:
        document = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))
        document["scrape_configs"] = [
            {
                "job_name": job,
                "metrics_path": self.paths.get(job, "/metrics"),
                "static_configs": [{"targets": [f"127.0.0.1:{port}" for port in ports]}],
            }
            for job, ports in self.targets.items()
        ]
        managers = [f"127.0.0.1:{self.alertmanager}"] if self.alertmanager else []
        document["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": managers}]}]}
        text = quicker(yaml.safe_dump(document, sort_keys=False), self.speed)
        (self.folder / "prometheus.yml").write_text(text, encoding="utf-8")
        (self.folder / "rules").mkdir()

    def _http(self, method: str, path: str, **words):
        import httpx2

        return httpx2.request(method, f"{self.url}{path}", params=words, timeout=30, trust_env=False)

    def _ask(self, what: str, **words):
        answer = self._http("GET", f"/api/v1/{what}", **words).json()
        if answer["status"] != "success":
            raise PrometheusError(f"Prometheus did not answer: {answer['error']}")
        return answer["data"]


def _series(labels: Mapping[str, str], pairs: Sequence[tuple[float, str]]) -> Series:
    return Series(dict(labels), [float(time) for time, _ in pairs], [float(value) for _, value in pairs])
