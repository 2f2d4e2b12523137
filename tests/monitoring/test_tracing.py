"""Traces: the service's own spans, what a batch does to them, Envoy's, and headers that are none."""

import gzip
import secrets
from concurrent.futures import ThreadPoolExecutor

import httpx2
import matplotlib.pyplot as plt
import psutil
import pytest

from fsdl_deploy.monitoring import tracing
from fsdl_deploy.monitoring.tracing import in_order
from fsdl_deploy.scaling.failures import card_body

pytestmark = pytest.mark.station
OURS = ("POST /read", "batcher", "wait", "decode", "model")


@pytest.fixture(scope="module")
def receiver():
    with tracing.Receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def service(receiver):
    with tracing.traced_service(receiver.url, delay_ms=300) as service:
        yield service


def ask(url, flags="01", **changes):
    trace_id = secrets.token_hex(16)
    parent = changes.get("traceparent", f"00-{trace_id}-{secrets.token_hex(8)}-{flags}")
    headers = {"content-type": "application/json", "traceparent": parent}
    answer = httpx2.post(f"{url}/read", content=changes.get("body", card_body()), headers=headers, timeout=30)
    return answer.status_code, trace_id


def test_every_step_stands_below_the_one_that_called_it(receiver, service):
    status, trace_id = ask(service.url)
    spans = receiver.trace(trace_id, OURS)
    assert status == 200
    # A request waits before it is decoded, or after it, where a core is free to decode meanwhile.
    assert [(span.name, span.depth) for span in spans if span.name != "wait"] == [
        ("POST /read", 0),
        ("batcher", 1),
        ("decode", 2),
        ("model", 2),
    ]
    assert [span.depth for span in spans if span.name == "wait"] == [2]
    by_name = {span.name: span for span in spans}
    assert by_name["wait"].milliseconds > 250 and by_name["model"].attributes["version"] == "v2"
    inner = sum(by_name[name].milliseconds for name in ("wait", "decode", "model"))
    assert inner <= by_name["batcher"].milliseconds <= by_name["POST /read"].milliseconds


def test_a_batch_leaves_a_span_in_every_trace_with_links_to_the_others(receiver, service):
    with ThreadPoolExecutor(8) as callers:
        asked = [trace_id for _, trace_id in callers.map(ask, [service.url] * 32)]
    models = [{s.name: s for s in spans}["model"] for spans in receiver.traces(asked, OURS)]
    assert any(span.links for span in models)
    assert all(span.links + 1 == int(span.attributes["requests in the batch"]) for span in models)
    assert all(span.attributes["pictures"] == "1" for span in models)


def test_a_bad_picture_leaves_no_model_span_and_spoils_no_other(receiver, service):
    status, trace_id = ask(service.url, body=b'{"pictures": ["no picture"]}')
    assert status == 422
    spans = receiver.trace(trace_id, ("POST /read",))
    assert "model" not in {span.name for span in spans}
    status, trace_id = ask(service.url)
    model = {span.name: span for span in receiver.trace(trace_id, OURS)}["model"]
    assert status == 200 and model.attributes["requests in the batch"] == "1"


@pytest.mark.parametrize("parent", ["garbage", "00-abc-def-01", f"00-{'0' * 32}-{'0' * 16}-01", ""])
def test_a_header_that_is_none_refuses_nobody(receiver, service, parent):
    assert ask(service.url, traceparent=parent)[0] == 200


def test_the_caller_decides_whether_it_is_recorded(receiver, service):
    status, hidden = ask(service.url, flags="00")
    _, marker = ask(service.url)
    receiver.trace(marker, OURS)
    assert status == 200 and receiver.spans(hidden) == []
    with pytest.raises(TimeoutError, match="nothing came"):
        receiver.trace(hidden, OURS, seconds=0.1)


def test_envoy_and_the_service_are_one_trace(receiver, service):
    with tracing.TracingEnvoy(service.port, receiver.server.port) as envoy:
        status, trace_id = ask(envoy.url)
        spans = receiver.trace(trace_id, ("ingress", "router reader egress", *OURS))
        assert status == 200
        assert [span.program for span in spans] == ["envoy"] * 2 + ["reader"] * 5
        assert [span.depth for span in spans] == [0, 1, 2, 3, 4, 4, 4]
        processes, folder = envoy.server.processes(), envoy.folder
        figure = tracing.draw(spans)
        assert len(figure.axes[0].texts) == 7
        plt.close(figure)
    assert not any(map(psutil.Process.is_running, processes)) and not folder.exists()


def test_without_tracing_nothing_is_sent(receiver):
    before = len(receiver.spans())
    with tracing.traced_service(None) as plain:
        assert ask(plain.url)[0] == 200
    assert len(receiver.spans()) == before


@pytest.mark.parametrize("body", [b"\xff\xff\xff", b"{}"])
def test_the_receiver_refuses_what_is_no_message(receiver, body):
    assert httpx2.post(f"{receiver.url}/v1/traces", content=body).status_code == 400
    zipped = {"content-encoding": "gzip"}
    assert httpx2.post(f"{receiver.url}/v1/traces", content=body, headers=zipped).status_code == 400
    assert (
        httpx2.post(f"{receiver.url}/v1/traces", content=gzip.compress(b""), headers=zipped).status_code
        == 200
    )


def test_in_order():
    def span(name, parent, start):
        return {
            "span": name,
            "parent": parent,
            "name": name,
            "program": "p",
            "start": start * 10**6,
            "end": (start + 1) * 10**6,
            "attributes": {},
            "links": [],
        }

    spans = [span("c", "a", 5), span("b", "a", 2), span("a", "the caller", 1), span("d", "b", 3)]
    assert [(s.name, s.depth, s.start) for s in in_order(spans)] == [
        ("a", 0, 0),
        ("b", 1, 1),
        ("d", 2, 2),
        ("c", 1, 4),
    ]
    assert in_order([]) == []
