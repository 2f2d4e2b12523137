"""Students of several sizes: what is recorded of them. Nobody is trained."""

from types import SimpleNamespace

import pytest

from fsdl_deploy.cards import cards
from fsdl_deploy.measuring import records
from fsdl_deploy.training import sizes


@pytest.fixture
def untrained(monkeypatch, tmp_path):
    """A taught student misreads the first card, one trained alone all but the first."""

    class Reads:
        def __init__(self, name, network):
            self.taught = name.endswith("taught")

        def read(self, images):
            deck = cards(len(images), "typical", seed=21)
            readings = [card.truth if (place > 0) == self.taught else "" for place, card in enumerate(deck)]
            return [SimpleNamespace(digits=digits) for digits in readings]

    monkeypatch.setattr(sizes, "train", lambda name, recipe, *_: recipe.network())
    monkeypatch.setattr(sizes, "TorchReader", Reads)
    monkeypatch.setattr(sizes, "BUILD", tmp_path)
    monkeypatch.setattr(sizes.Pool, "drawn", lambda *_: None)
    monkeypatch.setattr(sizes.weights, "load", lambda _: SimpleNamespace(network=None))
    monkeypatch.setattr(sizes.weights, "folder", lambda: tmp_path)
    return tmp_path


def test_taught_is_paired_with_alone_of_the_same_size(untrained, capsys):
    assert sizes.main(SimpleNamespace(cards=9)) == 0
    rows = records.read(untrained / sizes.FILE)["students"]
    assert [row["taught"] for row in rows] == [False, True] * len(sizes.WIDTHS)
    assert all(row["interval"][0] < row["right"] / 9 < row["interval"][1] for row in rows)
    assert all("fixed" not in row and row["right"] == 1 for row in rows[::2])
    assert all((row["fixed"], row["broken"], row["right"]) == (8, 1, 8) for row in rows[1::2])
    taught = [line.split() for line in capsys.readouterr().out.splitlines() if " taught " in line]
    assert [cells[-3:] for cells in taught] == [["8", "1", "0.039"]] * len(sizes.WIDTHS)
