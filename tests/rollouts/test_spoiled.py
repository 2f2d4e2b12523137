"""Synthetic bad versions: each is spoiled in the way that its name says, and in no other."""

import pytest

from fsdl_deploy.rollouts.answers import Answers
from fsdl_deploy.rollouts.guardrails import Seen
from fsdl_deploy.rollouts.meters import Meter
from fsdl_deploy.rollouts.spoiled import SPOILED, spoiled

COUNT = 4000


@pytest.fixture(scope="module")
def answers():
    cameras = ["scanner", "app", "old phone", "app"] * (COUNT // 4)
    return spoiled(Answers(cameras, ["01234"] * COUNT, [Meter(5, 1200, 50.0)] * COUNT,
                           {"v2": [Seen("01234", 0.9, 0.02)] * COUNT}))  # fmt: skip


def share(answers, name, changed):
    return sum(map(changed, answers.versions[name])) / COUNT


@pytest.mark.parametrize(("name", "expected"), [("1 point more wrong", 0.01), ("3 points more wrong", 0.03)])
def test_a_share_of_the_cards_is_misread(answers, name, expected):
    assert share(answers, name, lambda seen: seen.digits != "01234") == pytest.approx(expected, abs=0.01)
    assert share(answers, name, lambda seen: seen.failed or seen.seconds != 0.02) == 0


def test_one_camera_or_one_place_only(answers):
    for name, camera in (("1 card in 5 wrong from the scanner", "scanner"),
                         ("1 card in 8 wrong from old phones", "old phone")):  # fmt: skip
        pairs = zip(answers.versions[name], answers.cameras, strict=True)
        assert {of for seen, of in pairs if seen.digits != "01234"} == {camera}
    assert share(answers, "last digit wrong on 3 %", lambda seen: seen.digits[:-1] != "0123") == 0
    assert share(answers, "first digit wrong on 1 %", lambda seen: seen.digits[1:] != "1234") == 0


def test_slow_failing_and_doubting(answers):
    assert 0.03 < share(answers, "half a second more for 5 %", lambda seen: seen.seconds > 0.5) < 0.07
    assert 0.005 < share(answers, "errors for 1 %", lambda seen: seen.failed) < 0.02
    assert 0.05 < share(answers, "unsure of 1 card in 12 more", lambda seen: seen.confidence < 0.5) < 0.11
    assert share(answers, "30 seconds more for 1 %", lambda seen: seen.seconds > 30) < 0.02
    assert set(SPOILED) < set(answers.versions)


def test_sure_of_all():
    """Right as before, or wrong just where the original was unsure."""
    unsure = [Seen("01234", 0.95), Seen("01234", 0.4)] * (COUNT // 2)
    answers = spoiled(Answers(["app"] * COUNT, ["01234"] * COUNT, [Meter(5, 1200, 50.0)] * COUNT,
                              {"v2": unsure}))  # fmt: skip
    assert share(answers, "sure of all", lambda seen: seen.confidence == 1 and seen.digits == "01234") == 1
    wrong = answers.versions["last digit wrong where v2 is unsure, and sure"]
    assert {seen.digits for seen in wrong[::2]} == {"01234"} and "01234" not in {
        s.digits for s in wrong[1::2]
    }
    alike = answers.versions["last digit wrong where v2 is unsure"]
    assert [seen.confidence for seen in alike] == [seen.confidence for seen in unsure]
    assert {seen.digits for seen in alike[::2]} == {"01234"} and "01234" not in {
        s.digits for s in alike[1::2]
    }
    assert share(answers, "confidence that is no number", lambda seen: seen.failed) == 1
