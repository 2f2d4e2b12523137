"""The factors of the ladder: right by hand, and dependent on where one starts."""

import pytest

from fsdl_deploy import weights
from fsdl_deploy.edge import tricks
from fsdl_deploy.measuring import records


def test_a_factor_is_the_quotient_of_two_rungs():
    rungs = {rung["rung"]: rung for rung in records.read(weights.folder() / "ladder.json")["rungs"]}
    row = next(r for r in tricks.factors() if (r.start, r.end) == (tricks.CAREFUL, "distilled"))
    assert row.faster == pytest.approx(rungs["distilled"]["per_second"] / rungs[tricks.CAREFUL]["per_second"])
    assert row.smaller == pytest.approx(rungs[tricks.CAREFUL]["file"] / rungs["distilled"]["file"])
    assert row.lost > 0
    assert row.smaller_than_trained == pytest.approx(
        (weights.folder() / "teacher.safetensors").stat().st_size / 1024 / rungs["distilled"]["file"],
        rel=0.01,
    )


def test_who_starts_carelessly_gains_more():
    gains = [tricks.best(start).faster for start in (tricks.CARELESS, tricks.TUNED, tricks.CAREFUL)]
    assert gains == sorted(gains, reverse=True) and gains[-1] > 1


def test_every_pair_is_in_the_table():
    assert len(tricks.table().rows) == 3 * len(tricks.ENDS)
