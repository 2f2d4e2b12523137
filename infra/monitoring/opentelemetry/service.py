"""The course's service with OpenTelemetry in it: ``python service.py --port N --collector URL``.

Each request is a *trace*: spans, which have a name, a beginning, an end and a parent. The route's own comes
from OpenTelemetry's instrumentation of FastAPI; those of the batcher and of the model stand here. ``--off``
leaves all of it out, to see what it costs.
"""

import argparse
import time
import weakref
from typing import NamedTuple

import uvicorn
from opentelemetry import context, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from fsdl_deploy.reader import OnnxReader
from fsdl_deploy.service.app import create_app
from fsdl_deploy.service.process import http_protocol

tracer = trace.get_tracer("meter-reader")
decoded = {}  # by the identity of a picture that waits for the model: the DecodedRequest that brought it


class DecodedRequest(NamedTuple):
    """Where a request's spans belong, when it came, and from when to when it was decoded."""

    here: context.Context
    arrived: int
    begun: int
    ended: int

    def waited(self) -> None:
        """A span for the wait: before it is decoded, or, where others decode, for the model after that."""
        now = time.time_ns()
        before, after = (self.arrived, self.begun), (self.ended, now)
        begin, end = max(before, after, key=lambda span: span[1] - span[0])
        tracer.start_span("wait", self.here, start_time=begin).end(end)


class TracedReader:
    """A reader that leaves a span in the trace of every request whose pictures it was given together.

    A batch belongs to several traces. Each gets a span of its own with the same times, and links to the
    others, so that whoever looks at one request sees with whom it shared the model.
    """

    def __init__(self, reader):
        self.reader, self.model_version = reader, reader.model_version

    def read(self, images):
        owners = [decoded.pop(id(image), None) for image in images]
        requests = {id(owner): owner for owner in owners if owner is not None}
        spans = []
        for key, request in requests.items():
            request.waited()
            pictures = sum(id(owner) == key for owner in owners)
            spans.append(tracer.start_span("model", request.here, attributes={"pictures": pictures}))
        for span in spans:
            for other in spans:
                if other is not span:
                    span.add_link(other.get_span_context())
            span.set_attributes({"requests in the batch": len(spans), "version": self.model_version})
        try:
            return self.reader.read(images)
        finally:
            for span in spans:
                span.end()


def traced(read):
    """``Model.read`` with a span for the whole stay in the batcher, and two for its parts."""

    async def read_traced(parse, receive=None):
        with tracer.start_as_current_span("batcher"):
            here, arrived = context.get_current(), time.time_ns()

            def parse_traced():  # in a thread of the batcher, which knows nothing of this request
                begun = time.time_ns()
                with tracer.start_as_current_span("decode", here):
                    pictures = parse()
                request = DecodedRequest(here, arrived, begun, time.time_ns())
                for picture in pictures:
                    decoded[id(picture)] = request
                    weakref.finalize(picture, decoded.pop, id(picture), None)  # if it is never read
                return pictures

            return await read(parse_traced, receive)

    return read_traced


def build(options: argparse.Namespace):
    """The service, traced or not."""
    settings = {"threads": 1, "max_batch": options.max_batch, "delay": options.delay_ms / 1000}
    if options.off:
        return create_app(lambda: OnnxReader("v2"), **settings)
    provider = TracerProvider(resource=Resource.create({"service.name": "reader"}))
    exporter = OTLPSpanExporter(f"{options.collector}/v1/traces", timeout=5)
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=200))
    trace.set_tracer_provider(provider)
    app = create_app(lambda: TracedReader(OnnxReader("v2")), **settings)
    app.state.model.read = traced(app.state.model.read)
    FastAPIInstrumentor.instrument_app(app, excluded_urls="readyz,metrics", exclude_spans=["send", "receive"])
    return app


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--collector", help="where spans go: the address of an OTLP receiver")
    parser.add_argument("--max-batch", type=int, default=8)
    parser.add_argument("--delay-ms", type=float, default=0)
    parser.add_argument("--off", action="store_true", help="without any tracing")
    options = parser.parse_args()
    settings = {"host": "127.0.0.1", "port": options.port, "log_level": "warning", "http": http_protocol()}
    uvicorn.run(build(options), **settings)
