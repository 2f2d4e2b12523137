"""Fallbacks tried: who answers follows from the condition, and nobody waits beyond the deadline."""

from fsdl_deploy.cards import cards
from fsdl_deploy.edge import fallback_trial
from fsdl_deploy.reader import OnnxReader


def test_each_condition_takes_away_what_it_says():
    deck = list(cards(12, "hard", seed=21))
    rows = {row.condition: row for row in fallback_trial.measure(OnnxReader("v2"), deck, version="v1")}
    assert list(rows) == ["no fallback", *fallback_trial.CONDITIONS]
    assert rows["no fallback"].by("device") == rows["good link"].by("device") + (
        rows["good link"].by("service") + rows["good link"].by("person")
    )
    assert rows["no link"].by("service") == rows["slow link"].by("service") == 0
    assert rows["no link"].by("device") > 0 and rows["slow device"].by("device") == 0
