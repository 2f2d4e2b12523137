"""The dashboard that Grafana shows, drawn here: the same panels, the same questions to Prometheus

Grafana's server is no package, so it does not run here. What it would ask stands in the dashboard's JSON, and
any program can ask that. Knows Grafana's format as far as lines and figures over time go.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fsdl_deploy.monitoring.prometheus import Prometheus, quicker
from fsdl_deploy.paths import ROOT

FILE = ROOT / "infra" / "monitoring" / "grafana" / "reader.json"
UNITS = {"none": "", "percentunit": "%", "reqps": "1/s", "s": "s", "bytes": "MiB"}
_FACTORS = {"percentunit": 100, "bytes": 1 / 2**20}


@dataclass(frozen=True)
class Panel:
    """A panel: its title, the unit of its axis, its questions by legend, and where red begins."""

    title: str
    unit: str
    questions: Mapping[str, str]
    limit: float | None


def panels(file: Path = FILE) -> list[Panel]:
    """The panels of a dashboard, without its rows. Raises ValueError for a unit that is not known here."""
    chosen = []
    for panel in json.loads(file.read_text(encoding="utf-8"))["panels"]:
        if panel["type"] == "row":
            continue
        defaults = panel["fieldConfig"]["defaults"]
        if defaults["unit"] not in UNITS:
            raise ValueError(f"{panel['title']}: the unit {defaults['unit']} is none of {', '.join(UNITS)}")
        steps = defaults.get("thresholds", {}).get("steps", [])
        limits = [step["value"] for step in steps if step["value"] is not None]
        questions = {target["legendFormat"]: target["expr"] for target in panel["targets"]}
        chosen.append(Panel(panel["title"], defaults["unit"], questions, limits[0] if limits else None))
    return chosen


def filled_in(question: str, look_back: str = "5m") -> str:
    """A question as Prometheus takes it: with what Grafana puts in for ``$__rate_interval``."""
    return question.replace("$__rate_interval", look_back)


def data(panel: Panel, prometheus: Prometheus, start: float, end: float, points: int = 120) -> dict:
    """The lines of a panel: ``{legend: (seconds since start, values)}``, with the panel's unit."""
    lines = {}
    for legend, question in panel.questions.items():
        asked = quicker(filled_in(question), prometheus.speed)
        for series in prometheus.range(asked, start, end, max((end - start) / points, 0.001)):
            name = legend
            for label, value in series.labels.items():
                name = name.replace("{{" + label + "}}", value)
            factor = _FACTORS.get(panel.unit, 1)
            lines[name] = [time - start for time in series.times], [factor * value for value in series.values]
    return lines


def draw(prometheus: Prometheus, start: float, end: float, chosen: Sequence[Panel] | None = None):
    """Panels (all of ours) as one figure of matplotlib, three in a line; the time is in seconds."""
    import matplotlib.pyplot as plt

    chosen = panels() if chosen is None else chosen
    lines = -(-len(chosen) // 3)
    figure, axes = plt.subplots(lines, 3, figsize=(12, 2.6 * lines), squeeze=False)
    for panel, place in zip(chosen, axes.flat, strict=False):
        for name, (times, values) in data(panel, prometheus, start, end).items():
            place.plot(times, values, label=name)
        if panel.limit is not None:
            factor = _FACTORS.get(panel.unit, 1)
            place.axhline(factor * panel.limit, color="red", linestyle="--", linewidth=1)
        unit = f" ({UNITS[panel.unit]})" if UNITS[panel.unit] else ""
        place.set(title=panel.title, xlabel="time (s)", xlim=(0, end - start))
        place.set_ylabel(f"{panel.title.lower()}{unit}", fontsize=9)
        if place.get_legend_handles_labels()[0]:
            place.legend(fontsize=8)
    for place in list(axes.flat)[len(chosen) :]:
        place.remove()
    return figure
