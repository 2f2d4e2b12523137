"""The four ways: every way of the record has a row in both tables."""

from fsdl_course.scaling import orchestrator_tables
from fsdl_deploy.measuring import records
from fsdl_deploy.scaling import orchestrators


def test_each_way_has_its_own_counts():
    counted = records.read(orchestrators.RECORD)
    table = orchestrator_tables.beside_the_copies(counted)
    assert [row[:2] for row in table.rows] == [[way["name"], str(way["lines"])] for way in counted["ways"]]
    (note,) = table.notes
    assert counted["date"] in note and f"{counted['engine_alone']['mebibytes']:.0f} MiB" in note


def test_what_a_broken_version_left_is_not_what_the_new_one_lost():
    way = {"name": "ours", "update": {"seconds": 3.6, "requests": 10, "lost": 1}}
    way["broken"] = {"ended": "stopped", "left": 2, "requests": 20, "lost": 5}
    rows = orchestrator_tables.new_and_broken({"ways": [way]}).rows
    assert rows == [["ours", "4", "10", "1", "stopped", "2", "20", "5"]]
