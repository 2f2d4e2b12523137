"""All targets in one table: as the files and the record say, and int8 beside the same target's float32."""

import json
import shutil

from fsdl_deploy.edge import targets_overview
from fsdl_deploy.paths import ROOT
from fsdl_deploy.targets import catalogue, record

NAME = "onnxruntime_mobile"


def written(folder, same, cards=1000):
    """A record with float32 and int8 of one target."""
    row = {
        "cards": 1000,
        "right": 950,
        "size": 500_000,
        "latency_ratio": 1.0,
        "precision": "float32",
        "same": same,
        "same_interval": [0.98, 1.0],
    }
    eight = row | {"precision": "int8", "size": 200_000, "latency_ratio": 0.5, "same": 990}
    eight["cards"] = cards
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
    assert row[2:] == ["990 of 1,000", "98.0% – 100.0%", "40%", "0.50"]


def test_a_catalogue_of_its_own(tmp_path):
    shutil.copytree(ROOT / "infra" / "edge" / NAME, tmp_path / "infra" / "edge" / NAME)
    assert targets_overview.counts(tmp_path, tmp_path)["of"] == 1


def test_8_bits_without_float32_beside_it_are_still_a_row(tmp_path):
    written(tmp_path, 1000)
    (known,) = json.loads((tmp_path / record.FILE).read_text()).values()
    del known["rows"][0]
    (tmp_path / record.FILE).write_text(json.dumps({NAME: known}))
    (row,) = targets_overview.int8(tmp_path).rows
    assert row[2:] == ["990 of 1,000", "98.0% – 100.0%", "", ""]


def test_the_extent_says_how_many_cards_and_what_is_missing(tmp_path):
    assert targets_overview.extent(tmp_path).startswith("recorded: 0 rows of 0 runtimes\n")
    written(tmp_path, 1000)
    first, unread, missing = targets_overview.extent(tmp_path).splitlines()
    assert first == "recorded: 2 rows of 1 runtimes, each on 1,000 cards"
    assert "CoreML float16" in unread and "TensorRT" in unread and "IREE" not in unread
    assert (
        "IREE float32" in missing and "CoreML" not in missing and "ONNX Runtime, .ort float32" not in missing
    )
    written(tmp_path, 1000, cards=200)
    assert "(but ONNX Runtime, .ort int8 200)" in targets_overview.extent(tmp_path)


def test_what_8_bits_change_is_counted_over_all_runtimes(tmp_path):
    assert targets_overview.changed_by_int8(tmp_path) == {}
    written(tmp_path, 1000)
    changed = targets_overview.changed_by_int8(tmp_path)
    assert (changed["files"], changed["per"], changed["least"], changed["most"]) == (1, 1000, 10.0, 10.0)
    assert abs(changed["high"] - 0.02) < 1e-9


def test_a_reader_is_whole_by_its_own_file_and_one_digit_is_none():
    rows = {(row[0], row[4]): row[2] for row in targets_overview.table().rows}
    assert rows["LiteRT", "float32-whole"] == "whole" and rows["LiteRT", "float32"] == "bare"
    known = catalogue.targets()
    assert known["ml_kit"].form == "one digit"
    counts = targets_overview.counts()
    assert counts["both"] <= min(counts["whole"], counts["any_width"]) < counts["of"]
    assert counts["whole"] == sum("whole" in map(t.form_of, t.variants) for t in known.values())
