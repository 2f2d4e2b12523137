"""The record of other processors: whole, and read as it says."""

import pytest

from fsdl_deploy.edge import on_arm64


def test_each_graph_is_there_for_each_processor_and_counts_are_possible():
    record = on_arm64.recorded()
    sides = on_arm64.otherwise(record)
    assert "arm64" in sides and len({frozenset(graphs) for graphs in sides.values()}) == 1
    for row in record["rows"]:
        assert (
            0 <= row["other_digits"] <= row["other_confidence"] <= record["cards"] or not row["other_digits"]
        )
        assert row["right_there"] - row["right_here"] == row["fixed"] - row["broken"]
    assert len(on_arm64.table().rows) == len(record["rows"])


def test_the_worst_graph_of_a_processor_is_found():
    rows = [
        {"side": s, "graph": g, "other_digits": n}
        for s, g, n in (("a", "x", 0), ("a", "y", 3), ("b", "x", 1))
    ]
    assert on_arm64.otherwise({"rows": rows}) == {"a": {"x": 0, "y": 3}, "b": {"x": 1}}


def test_no_difference_on_few_cards_excludes_little():
    rows = [
        {"side": "arm64", "graph": graph, "other_digits": number} for graph, number in (("x", 0), ("y", 1))
    ]
    assert on_arm64.at_most({"cards": 40, "rows": rows[:1]}) == (0, pytest.approx(0.0876, abs=1e-4))
    assert on_arm64.at_most({"cards": 40, "rows": rows})[0] == 1
    assert "of 4,000 cards 0 are read otherwise" in on_arm64.finding({"cards": 4000, "rows": rows[:1]})
