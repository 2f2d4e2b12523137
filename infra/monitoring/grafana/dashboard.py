"""The reader's dashboard for Grafana, built of Grafana's own classes: ``python dashboard.py`` writes it.

``--check`` says whether ``reader.json`` is what this program builds. A panel is a title, a unit and a
question to Prometheus; Grafana puts in how far back ``$__rate_interval`` looks.
"""

import sys
from pathlib import Path

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DataSourceRef, GridPos, Threshold, ThresholdsMode

FILE = Path(__file__).with_name("reader.json")
SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
CUSTOMERS = 'path!~"/metrics|/healthz|/readyz"'
RATE = "[$__rate_interval]"
WIDE, HIGH = 24, 8  # Grafana's grid is 24 columns wide
SECONDS = f"sum by (le) (rate(reader_request_seconds_bucket{RATE}))"
ROWS = {
    "What customers see": [
        (
            "Requests a second",
            "reqps",
            {"{{status}}": f"sum by (status) (rate(reader_requests_total{{{CUSTOMERS}}}{RATE}))"},
        ),
        ("Share that fails", "percentunit", {"last 5 min": "reader:bad_ratio:rate5m"}, 0.001),
        (
            "Seconds for a reading",
            "s",
            {q: f"histogram_quantile(0.{q[1:]}, {SECONDS})" for q in ("p50", "p99")},
            0.5,
        ),
        ("Burn rate", "none", {"last hour": "reader:bad_ratio:rate1h / 0.001"}, 14.4),
    ],
    "What the model sees and says": [
        ("Mean confidence", "percentunit", {"last 15 min": "reader:confidence:mean15m"}, 0.8),
        ("Mean grey of the pictures", "none", {"last 15 min": "reader:grey:mean15m"}),
        ("What became of the readings", "percentunit", {"{{verdict}}": "billing:readings:rate1h"}),
        ("Models that answer", "none", {"{{version}}": "count by (version) (reader_model_info)"}),
    ],
    "How the service is": [
        ("Replicas that answer", "none", {"replicas": 'sum(up{job="reader"})'}),
        ("Readings run or waiting", "none", {"{{instance}}": "reader_requests_in_progress"}),
        (
            "Cards in one call of the model",
            "none",
            {"mean": f"sum(rate(reader_batch_size_sum{RATE})) / sum(rate(reader_batch_size_count{RATE}))"},
        ),
        ("Memory", "bytes", {"{{instance}}": 'process_resident_memory_bytes{job="reader"}'}),
        ("Alerts", "none", {"{{alertname}}": 'count by (alertname) (ALERTS{alertstate="firing"})'}),
    ],
}


def panel(title: str, unit: str, questions: dict[str, str], limit: float | None = None):
    """A panel of lines over time, or a large figure for a burn rate; ``limit`` is where red begins."""
    large = title == "Burn rate"
    built = (stat if large else timeseries).Panel().title(title).unit(unit).datasource(SOURCE)
    for letter, (legend, question) in zip("ABCDE", questions.items(), strict=False):
        query = prometheus.Dataquery().expr(question).legend_format(legend).ref_id(letter).range()
        built.with_target(query.datasource(SOURCE))
    if unit != "percentunit" or limit is None:
        built.min(0)
    if limit is not None:
        steps = [Threshold(color="green", value=None), Threshold(color="red", value=limit)]
        built.thresholds(dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
    if large:
        built.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        return built
    built.legend(common.VizLegendOptions().show_legend(True).display_mode("list").placement("bottom"))
    if limit is not None:
        built.thresholds_style(common.GraphThresholdsStyleConfig().mode("line"))
    return built


def build() -> str:
    """The dashboard as Grafana imports it: JSON."""
    board = (
        dashboard.Dashboard("Meter reader")
        .uid("meter-reader")
        .tags(["fsdl-deploy"])
        .refresh("10s")
        .time("now-1h", "now")
        .timezone("browser")
        .annotations([])
        .with_variable(dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
    )
    number = top = 0
    for title, panels in ROWS.items():
        number += 1
        row = dashboard.Row(title).id(number).grid_pos(GridPos(x=0, y=top, w=WIDE, h=1))
        board.with_row(row)
        top, width = top + 1, WIDE // (2 if len(panels) == 4 else 3)
        for place, entry in enumerate(panels):
            number += 1
            below, beside = divmod(place, WIDE // width)
            where = GridPos(x=beside * width, y=top + below * HIGH, w=width, h=HIGH)
            board.with_panel(panel(*entry).id(number).grid_pos(where))
        top += -(-len(panels) // (WIDE // width)) * HIGH
    return JSONEncoder(sort_keys=True, indent=1).encode(board.build()) + "\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        if FILE.read_text(encoding="utf-8") != build():
            sys.exit(f"{FILE.name} is not what this program builds: run it without --check")
    else:
        FILE.write_text(build(), encoding="utf-8")
