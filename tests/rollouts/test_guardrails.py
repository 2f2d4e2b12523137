"""Each guardrail is broken by its own harm and by no other, over all cards or from one camera."""

from dataclasses import replace

import pytest

from fsdl_deploy.rollouts.guardrails import (
    GUARDRAILS,
    SEGMENTS,
    SLOW_FROM,
    AnswerPair,
    Seen,
    Watch,
    slow_from,
)
from fsdl_deploy.rollouts.meters import Meter

GOOD = Seen("01040", 0.97, 0.02)
SAME = AnswerPair(GOOD, GOOD, "app", Meter(5, 1000, 50.0))
DOUBTED = replace(GOOD, confidence=0.6)
HARM = {
    "comparison": replace(SAME, stable=None),
    "errors": replace(SAME, candidate=Seen(failed=True)),
    "p99": replace(SAME, candidate=replace(GOOD, seconds=0.5)),
    "hangs": replace(SAME, candidate=replace(GOOD, seconds=30.0)),
    "confidence": replace(SAME, candidate=replace(GOOD, confidence=0.4)),
    "certainty": replace(SAME, stable=replace(GOOD, confidence=0.4)),
    "plausibility": AnswerPair(replace(DOUBTED, digits="91040"), DOUBTED, "app", SAME.meter),
    "disagreement": replace(SAME, candidate=replace(GOOD, digits="01041")),
    "corrections": AnswerPair(replace(GOOD, digits="01041"), DOUBTED, "app", SAME.meter),
    "labels": AnswerPair(DOUBTED, replace(DOUBTED, digits="01041"), "app", SAME.meter, "01041"),
}
ALSO = {"hangs": {"p99"}, "plausibility": {"corrections"}, "labels": {"corrections"}}
"""Whoever hangs is slow, too, and what is worse is another reading."""


def watched(pairs) -> Watch:
    watch = Watch()
    for pair in pairs:
        watch.add(pair)
    return watch


def names(watch: Watch) -> set[str]:
    return {alarm.partition(":")[0] for alarm in watch.alarms()}


def test_there_is_a_harm_for_each_guardrail():
    assert HARM.keys() == GUARDRAILS.keys()


@pytest.mark.parametrize("name", GUARDRAILS)
def test_a_harm_breaks_its_guardrail_and_no_other(name):
    usual, harm = [SAME] * 200, [SAME] * 2 + [HARM[name]]
    assert names(watched(usual)) == set()
    assert names(watched(usual + 40 * harm)) == {name} | ALSO.get(name, set())


def test_two_versions_that_fail_alike_or_answer_alike_raise_nothing():
    both_failed = replace(SAME, candidate=Seen(failed=True), stable=Seen(failed=True))
    both_wrong = AnswerPair(replace(GOOD, digits="9"), replace(GOOD, digits="9"), "app", SAME.meter, "01040")
    assert not watched([SAME, both_failed, both_wrong] * 500).alarms()


def test_a_better_candidate_raises_nothing():
    """It reads what the stable version misreads, which is unsure then."""
    fixed = AnswerPair(GOOD, replace(GOOD, digits="91040", confidence=0.5), "app", SAME.meter, "01040")
    assert not watched(([SAME] * 9 + [fixed]) * 300).alarms()


def test_one_camera_alone_raises_its_alarm_and_is_named():
    """One card in forty is from this camera, so it is less than what is tolerated of all."""
    harm = replace(HARM["confidence"], segment="scanner")
    alarms = watched(([SAME] * 79 + [replace(SAME, segment="scanner"), harm]) * 60).alarms()
    assert alarms and all("camera 'scanner'" in alarm for alarm in alarms)


def test_an_alarm_says_what_how_much_by_how_many_cards_and_what_is_tolerated():
    (alarm,) = (text for text in watched([HARM["disagreement"], SAME] * 50).alarms() if "camera" not in text)
    assert "disagreement:" in alarm and "50.0 points" in alarm and "100 cards" in alarm and "0.3 are" in alarm


def test_strangers_cannot_add_cameras_without_end():
    watch = watched(replace(SAME, segment=f"camera {number}") for number in range(500))
    assert len({segment for _, segment in watch.counts}) == SEGMENTS + 1
    assert watch.pairs == 500 and watch.counts["errors", ""].total() == 500


def test_the_labels_of_a_known_camera_count_though_strangers_have_named_many():
    watch = watched(replace(SAME, segment=f"camera {number}") for number in range(500))
    watch.label(replace(SAME, segment="camera 3", truth="01040"))
    watch.label(replace(SAME, segment="camera 400", truth="01040"))
    assert watch.counts["labels", ""].total() == 2 and watch.counts["labels", "camera 3"].total() == 1
    assert ("labels", "camera 400") not in watch.counts


@pytest.mark.parametrize("stable", [None, Seen(failed=True)])
def test_without_the_stable_versions_answer_nothing_is_compared_and_that_is_an_alarm(stable):
    """The stable version is gone, or its log is not the one that is read."""
    silent = AnswerPair(replace(GOOD, digits="01041"), stable)
    watch = watched([silent] * 30)
    assert names(watch) == {"comparison"} and watch.pairs == 0
    assert "answer to compare with" in watch.alarms()[0]
    assert not watched([SAME] * 970 + [silent] * 30).alarms()


@pytest.mark.parametrize("confidence", [float("nan"), -0.1, 1.1, float("inf")])
def test_a_confidence_that_is_none_is_a_failed_answer(confidence):
    assert replace(GOOD, confidence=confidence).failed and not GOOD.failed
    assert names(watched([replace(SAME, candidate=replace(GOOD, confidence=confidence))] * 30)) == {"errors"}


def test_a_correction_that_the_meter_confirms_is_no_harm():
    stable = replace(DOUBTED, digits="91040")
    assert not watched([AnswerPair(GOOD, stable, "app", SAME.meter)] * 300).alarms()
    assert names(watched([AnswerPair(GOOD, stable)] * 300)) == {"corrections"}


def test_what_the_stable_version_was_not_asked_counts_as_an_error_only_if_it_is_one():
    alone = AnswerPair(Seen(failed=True), None)
    watch = watched([alone] * 30)
    assert names(watch) == {"errors"} and watch.counts.keys() == {("errors", "")}


def test_a_label_that_comes_late_counts_once_and_only_there():
    watch = watched([SAME])
    before = {key: value.total() for key, value in watch.counts.items()}
    watch.label(replace(SAME, truth="01040"))
    assert watch.counts["labels", ""].total() == 1 and watch.pairs == 1
    assert all(watch.counts[key].total() == total for key, total in before.items())


def test_slow_is_twice_the_usual_p99_but_never_what_nobody_minds():
    assert slow_from([0.01] * 200) == SLOW_FROM
    assert slow_from([0.4] * 200) == pytest.approx(0.8)
