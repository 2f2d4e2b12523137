"""Tests of the sum of several pages of metrics."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from fsdl_deploy.service.metric_sum import counts, total


def page(requests, waiting, seconds, label="a b"):
    registry = CollectorRegistry()
    counter = Counter("asked", "with a label", ["path"], registry=registry)
    counter.labels(label).inc(requests)
    Gauge("waiting", "now", registry=registry).set(waiting)
    Histogram("seconds", "each", buckets=(1, 10), registry=registry).observe(seconds)
    Info("model", "which", registry=registry).info({"version": "v2"})
    return generate_latest(registry)


def samples(text):
    families = text_string_to_metric_families(text.decode())
    return {(s.name, tuple(s.labels.items())): s.value for family in families for s in family.samples}


def test_counts_gauges_and_buckets_add_up_and_what_is_a_name_stays_one():
    first, second = page(3, 1, 0.5), page(4, 2, 5)
    summed, alone = samples(total([first, second])), samples(first)
    assert summed["asked_total", (("path", "a b"),)] == 7
    assert summed["waiting", ()] == 3
    assert summed["seconds_bucket", (("le", "1.0"),)] == 1
    assert summed["seconds_bucket", (("le", "10.0"),)] == 2
    assert summed["seconds_sum", ()] == 5.5
    assert summed["model_info", (("version", "v2"),)] == 1
    assert summed["seconds_created", ()] == alone["seconds_created", ()]
    assert summed.keys() == alone.keys()


def test_a_label_that_only_one_process_knows_is_kept_in_its_family():
    summed = total([page(3, 1, 1, "/a"), page(4, 1, 1, '/b \\ "x"\n')])
    assert samples(summed)["asked_total", (("path", '/b \\ "x"\n'),)] == 4
    assert samples(summed)["asked_total", (("path", "/a"),)] == 3
    assert summed.count(b"# TYPE asked_total counter") == 1


def test_of_a_process_that_has_ended_only_what_it_counted_remains():
    left = samples(counts(page(3, 9, 0.5)))
    assert left["asked_total", (("path", "a b"),)] == 3 and left["seconds_count", ()] == 1
    assert ("waiting", ()) not in left and ("model_info", (("version", "v2"),)) not in left
    assert total([counts(page(3, 9, 0.5)), b"", page(1, 2, 3)])
