"""Readings of any pictures by a target's program: those of the artifact it is given, or a sentence."""

import json

import fake_target
import pytest

from fsdl_deploy.cards import cards
from fsdl_deploy.targets.asking import digits_of
from fsdl_deploy.targets.catalogue import TargetError


@pytest.fixture
def artifact(tmp_path):
    fake_target.repository(tmp_path)
    return tmp_path / "other.json"


def test_the_artifact_that_is_given_reads_the_pictures_in_order(artifact, tmp_path):
    deck = list(cards(3, "clean", seed=4))
    artifact.write_text(json.dumps({"wrong": [1]}))
    digits = digits_of("fake", artifact, [card.image for card in deck], root=tmp_path)
    assert digits[1] == "9999"
    assert [digits[0], digits[2]] == [deck[0].truth, deck[2].truth]


def test_a_target_that_does_not_answer_is_named(artifact, tmp_path):
    artifact.write_text(json.dumps({"crash": True}))
    with pytest.raises(TargetError, match=r"(?s)read\.py of fake ended with status 1.*does not fit"):
        digits_of("fake", artifact, [next(cards(1)).image], root=tmp_path)
