"""Traces: one request's way through several programs, as spans that know their parents

The programs are in ``infra/monitoring/opentelemetry``: the service with OpenTelemetry in it, a receiver of
what it and Envoy say, Envoy's file. Here they are started, and what they said is put in order and drawn.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass

from fsdl_deploy.running import stations
from fsdl_deploy.running.homed import HomedServer
from fsdl_deploy.running.ports import answer_at, free_port
from fsdl_deploy.running.servers import Server


@dataclass(frozen=True)
class Span:
    """One step of a trace: in which program, how deep below the first, when (after the first), how long."""

    name: str
    program: str
    depth: int
    start: float
    milliseconds: float
    attributes: dict[str, str]
    links: int


class Receiver:
    """``with Receiver() as receiver:`` takes spans at ``receiver.url``, and gives back whole traces."""

    def __init__(self):
        folder = stations.station("opentelemetry").folder
        self.server = Server(
            [stations.python("opentelemetry"), folder / "receiver.py", "--port", "{port}"], "/spans"
        )

    def __enter__(self) -> "Receiver":
        self.server.start()
        return self

    def __exit__(self, *_) -> None:
        self.server.stop()

    @property
    def url(self) -> str:
        return self.server.url

    def spans(self, trace_id: str | None = None) -> list[dict]:
        """What it has heard of: of one trace, or of all."""
        chosen = "" if trace_id is None else f"?trace={trace_id}"
        return json.loads(answer_at(self.server.port, f"/spans{chosen}"))

    def trace(self, trace_id: str, names: Sequence[str], seconds: float = 20) -> list[Span]:
        """The spans of one trace in their order, once those of these ``names`` have come."""
        return self.traces([trace_id], names, seconds)[0]

    def traces(self, trace_ids: Sequence[str], names: Sequence[str], seconds: float = 20) -> list[list[Span]]:
        """The same of several traces, in the order of ``trace_ids``.

        Programs send their spans now and then, not at once. Raises TimeoutError with the names that came.
        """
        deadline = time.monotonic() + seconds
        while True:
            own: dict[str, list[dict]] = {trace_id: [] for trace_id in trace_ids}
            for span in self.spans(trace_ids[0] if len(own) == 1 else None):
                own.get(span["trace"], []).append(span)
            lacking = [spans for spans in own.values() if not set(names) <= {span["name"] for span in spans}]
            if not lacking:
                return [in_order(own[trace_id]) for trace_id in trace_ids]
            if time.monotonic() > deadline:
                came = ", ".join(sorted({span["name"] for span in lacking[0]})) or "nothing"
                raise TimeoutError(f"a trace is not whole after {seconds:g} s: {came} came")
            time.sleep(0.05)


def traced_service(collector: str | None, max_batch: int = 8, delay_ms: float = 0) -> Server:
    """The course's service, not yet started, that sends its spans to ``collector``; None: without tracing."""
    station = stations.station("opentelemetry")
    where = ["--off"] if collector is None else ["--collector", collector]
    batch = ["--max-batch", str(max_batch), "--delay-ms", str(delay_ms)]
    command = [station.python, station.folder / "service.py", "--port", "{port}", *where, *batch]
    return Server(command, "/readyz", name="traced service")


class TracingEnvoy(HomedServer):
    """``with TracingEnvoy(service.port, receiver.server.port) as envoy:`` a balancer that begins traces."""

    def __init__(self, service: int, collector: int):
        station = stations.station("envoy")
        if not station.built:
            raise stations.NotBuilt(station.not_built())
        self.program = next(station.site.glob("envoy/_bin/envoy*"))
        self.service, self.collector = service, collector

    def open(self) -> None:
        port = free_port()
        text = (stations.station("opentelemetry").folder / "envoy.yaml").read_text(encoding="utf-8")
        for name, number in {"PORT": port, "SERVICE": self.service, "COLLECTOR": self.collector}.items():
            text = text.replace(f": {name}}}", f": {number}}}").replace(f":{name}/", f":{number}/")
        file = self.home("tracing") / "envoy.yaml"
        file.write_text(text, encoding="utf-8")
        words = [self.program, "-c", file, "--concurrency", "1", "--disable-hot-restart", "-l", "warning"]
        self._server = Server(words, "/readyz", name="Envoy", port=port, grace=2).start()


def in_order(spans: Sequence[dict]) -> list[Span]:
    """The spans of one trace, each below its parent, the earlier first; ``depth`` 0 has no parent here."""
    known = {span["span"]: span for span in spans}
    first = min((span["start"] for span in spans), default=0)
    ordered: list[Span] = []

    def add(parent: str | None, depth: int) -> None:
        for span in sorted(spans, key=lambda span: span["start"]):
            above = span["parent"] if span["parent"] in known else None
            if above == parent:
                times = ((span["start"] - first) / 1e6, (span["end"] - span["start"]) / 1e6)
                about = (span["attributes"], len(span["links"]))
                ordered.append(Span(span["name"], span["program"], depth, *times, *about))
                add(span["span"], depth + 1)

    add(None, 0)
    return ordered


def draw(spans: Sequence[Span]):
    """A waterfall of one trace: a bar for each span, in the order of ``in_order``; a colour a program."""
    import matplotlib.pyplot as plt

    from fsdl_deploy import figures

    programs = list(dict.fromkeys(span.program for span in spans))
    figure, axes = plt.subplots(figsize=(9, 0.4 * len(spans) + 1))
    for row, span in enumerate(spans):
        color = figures.PALETTE[programs.index(span.program) % len(figures.PALETTE)]
        axes.barh(row, span.milliseconds, left=span.start, color=color)
        label = f"{span.name}: {span.milliseconds:.1f} ms"
        axes.text(span.start + span.milliseconds, row, f" {label}", va="center", fontsize=9)
    for number, program in enumerate(programs):
        axes.barh(0, 0, color=figures.PALETTE[number % len(figures.PALETTE)], label=program)
    end = max(span.start + span.milliseconds for span in spans)
    axes.set(xlabel="time (ms)", xlim=(0, 1.35 * end), yticks=[])
    axes.invert_yaxis()
    axes.legend(loc="lower right")
    return figure
