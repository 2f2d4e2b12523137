"""All targets in one table: as the files and the record say, and int8 beside the same target's float32."""

import json
import shutil

from fsdl_deploy.edge import targets_overview
from fsdl_deploy.paths import ROOT
from fsdl_deploy.targets import catalogue, record

NAME = "onnxruntime_mobile"


def written(folder, same):
    """A record with float32 and int8 of one target."""
    row = {
        "cards": 1000,
        "right": 950,
        "size": 500_000,
        "latency_ratio": 1.0,
        "precision": "float32",
        "same": same,
    }
    eight = row | {"precision": "int8", "size": 200_000, "latency_ratio": 0.5, "same": 990}
    (folder / record.FILE).write_text(json.dumps({NAME: {"date": "2026-11-29", "rows": [row, eight]}}))


def test_every_target_is_there_once_for_each_precision(tmp_path):
    known = catalogue.targets()
    rows = targets_overview.table(tmp_path).rows
    assert len(rows) == sum(len(target.variants) for target in known.values())
    assert len(targets_overview.limits().rows) == len(known) == targets_overview.counts(tmp_path)["of"]
    assert targets_overview.counts(tmp_path)["recorded"] == 0  # no record is no failure, and no success


def test_one_card_of_a_thousand_may_differ_and_two_may_not(tmp_path):
    written(tmp_path, 999)
    assert targets_overview.counts(tmp_path)["pass"] == targets_overview.counts(tmp_path)["recorded"] == 1
    written(tmp_path, 998)
    assert targets_overview.counts(tmp_path)["pass"] == 0


def test_int8_is_a_share_of_the_same_targets_float32(tmp_path):
    written(tmp_path, 1000)
    (row,) = [row for row in targets_overview.int8(tmp_path).rows if row[1] == "int8"]
    assert row[2:] == ["990 of 1,000", "40%", "0.50"]


def test_a_catalogue_of_its_own(tmp_path):
    shutil.copytree(ROOT / "infra" / "edge" / NAME, tmp_path / "infra" / "edge" / NAME)
    assert targets_overview.counts(tmp_path, tmp_path)["of"] == 1
