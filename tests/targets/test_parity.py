"""Each target that runs here reads other cards than those on record as ONNX Runtime does."""

import pytest

from fsdl_course.setup.stations import ensure
from fsdl_deploy.targets import building, catalogue, comparing

RUNNING = [
    name
    for name, target in catalogue.targets().items()
    if target.status == "runs" and any(word.startswith("float32") for word in target.variants)
]


@pytest.mark.parametrize("name", RUNNING)
def test_a_target_reads_as_the_reference(name, tmp_path):
    target = catalogue.target(name)
    building_too = "" if target.kept else target.build_station
    for station in filter(None, (target.station, target.packages, building_too)):
        ensure(station)
    folder = None if target.kept else building.build(target, into=tmp_path)
    precisions = [
        word for word, variant in target.variants.items() if word.startswith("float32") and variant.reads
    ]
    rows = comparing.compare(name, 24, precisions, seed=2311, rounds=1, turns=1, folder=folder)
    assert [row.precision for row in rows] == precisions and precisions
    assert [row.differences for row in rows] == [()] * len(rows)
    assert all(row.confidence_apart < 1e-3 for row in rows)
