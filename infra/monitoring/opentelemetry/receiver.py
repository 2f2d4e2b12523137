"""A small receiver of traces: ``python receiver.py --port N``; POST /v1/traces takes, GET /spans gives them.

It speaks OTLP over HTTP with protobuf, as OpenTelemetry's collectors do, and keeps the last spans in memory.
"""

import argparse
import gzip
from collections import deque

import uvicorn
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

spans: deque[dict] = deque(maxlen=20_000)


def value(attribute) -> object:
    """An attribute's value, whatever its kind."""
    return getattr(attribute.value, attribute.value.WhichOneof("value") or "string_value")


def unpacked(message: ExportTraceServiceRequest) -> list[dict]:
    """The spans of one message, as plain dictionaries; times in ns since 1970."""
    listed = []
    for resource in message.resource_spans:
        names = {attribute.key: value(attribute) for attribute in resource.resource.attributes}
        for scope in resource.scope_spans:
            for span in scope.spans:
                listed.append(
                    {
                        "program": names.get("service.name", "unknown"),
                        "name": span.name,
                        "trace": span.trace_id.hex(),
                        "span": span.span_id.hex(),
                        "parent": span.parent_span_id.hex(),
                        "start": span.start_time_unix_nano,
                        "end": span.end_time_unix_nano,
                        "attributes": {a.key: str(value(a)) for a in span.attributes},
                        "links": [link.trace_id.hex() for link in span.links],
                    }
                )
    return listed


async def take(request: Request) -> Response:
    """Spans that a program sends."""
    body = await request.body()
    try:
        if request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        spans.extend(unpacked(ExportTraceServiceRequest.FromString(body)))
    except (DecodeError, OSError):
        return Response("no message of OTLP", status_code=400)
    return Response(ExportTraceServiceResponse().SerializeToString(), media_type="application/x-protobuf")


async def give(request: Request) -> Response:
    """All spans that came; those of one trace with ``?trace=ID``."""
    trace = request.query_params.get("trace")
    return JSONResponse([span for span in spans if trace in (None, span["trace"])])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    app = Starlette(routes=[Route("/v1/traces", take, methods=["POST"]), Route("/spans", give)])
    uvicorn.run(app, host="127.0.0.1", port=parser.parse_args().port, log_level="warning")
