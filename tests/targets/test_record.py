"""The record of all targets: a part each, and their table."""

from fake_target import TOML, repository

from fsdl_deploy.targets import comparing, record

VALUES = dict.fromkeys(comparing.Comparison.__dataclass_fields__, 0) | {
    "target": "fake", "precision": "float32", "cards": 1000, "same": 999, "right": 940, "size": 123456,
    "same_interval": (0.994, 0.999), "latency_ratio": 1.5, "differences": (), "versions": {"fake": "1.0"},
}  # fmt: skip


def test_a_part_is_replaced_and_the_others_stay(tmp_path):
    record.write([comparing.Comparison(**VALUES | {"target": "other"})], tmp_path)
    record.write([comparing.Comparison(**VALUES)], tmp_path)
    record.write([comparing.Comparison(**VALUES | {"same": 1000})], tmp_path)
    parts = record.read(tmp_path)
    assert [*parts] == ["other", "fake"]
    assert parts["fake"]["rows"][0]["same"] == 1000 and parts["other"]["rows"][0]["same"] == 999
    assert parts["fake"]["versions"] == {"fake": "1.0"} and parts["fake"]["date"].startswith("20")


def test_the_table_has_what_is_recorded_and_what_is_not(tmp_path):
    repository(tmp_path, toml=TOML + '[variants.int8]\nfiles = ["small.json"]\n')
    record.write([comparing.Comparison(**VALUES)], tmp_path)
    rows = record.table(tmp_path, tmp_path).rows
    assert rows[0] == [
        "A fake",
        "runs",
        "whole",
        "any",
        "float32",
        "999 of 1,000",
        "940 of 1,000",
        "123",
        "1.50",
        "MIT",
    ]
    assert rows[1][4:] == ["int8", "", "", "", "", "MIT"]
