"""Server time: what each way sends, that asking for the newest sends nothing, and when fetching pays."""

import pytest

from fsdl_deploy import weights
from fsdl_deploy.edge import scale_free
from fsdl_deploy.edge.scale_free import WAYS, ServerTime


def test_each_way_sends_what_it_should():
    rows = scale_free.measure((1, 12))
    assert [(row.way, row.clients) for row in rows] == [(way, n) for n in (1, 12) for way in WAYS]
    last = {row.way: row for row in rows if row.clients == 12}
    assert last[WAYS[1]].sent == 12 * (weights.folder() / "v2.onnx").stat().st_size
    assert last[WAYS[2]].sent == 0 < last[WAYS[0]].sent < last[WAYS[1]].sent
    assert last[WAYS[0]].cpu > 0
    assert len(scale_free.table(rows).rows) == 6


def test_fetching_pays_after_as_many_readings_as_it_takes():
    rows = [ServerTime(way, 10, cpu, 0) for way, cpu in zip(WAYS, (0.040, 0.060, 0.010), strict=True)]
    assert scale_free.pays_after(rows) == pytest.approx(2.0)
    assert scale_free.pays_after(rows, revalidations=0) == pytest.approx(1.5)
    assert scale_free.pays_after(rows, revalidations=4) == float("inf")
