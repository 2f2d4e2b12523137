import pytest

from fsdl_course.packaging.runs import agreement, agreement_table, as_run, effect_table, effects, moved
from fsdl_course.packaging.runs import newly_wrong as newly
from fsdl_deploy.reading import Reading

TRUTHS = ["12", "34", "56", "78"]
BEFORE = {"digits": ["12", "34", "50", "78"], "confidence": [0.9, 0.8, 0.7, 0.6]}
AFTER = {"digits": ["12", "30", "56", ""], "confidence": [0.9, 0.4, 0.7, 0.6]}


def test_an_effect_is_measured_against_the_first_run():
    first, second = effects(TRUTHS, {"nothing": BEFORE, "code": AFTER}).values()
    assert (first.right, first.moved, first.surer) == (0.75, 0, 0)
    assert (second.right, second.moved) == (0.5, 3) and second.surer == pytest.approx(-0.1)


def test_the_table_of_effects_has_percent_and_signs():
    text = str(effect_table(effects(TRUTHS, {"nothing": BEFORE, "code": AFTER}), cards=4))
    assert "readings changed, of 4" in text and "50.0%" in text and "-0.100" in text and "+0.000" in text


def test_newly_wrong_are_those_that_were_right():
    """The third card was wrong before: it is no loss, and neither is the first, which stays right."""
    assert newly(TRUTHS, BEFORE, AFTER) == [1, 3]


def test_runs_of_other_cards_are_not_compared():
    with pytest.raises(ValueError):
        moved(["1"], ["1", "2"])
    with pytest.raises(ValueError):
        agreement(BEFORE, {"digits": ["12"], "confidence": [0.9]})


def test_agreement_counts_readings_and_the_furthest_confidence_in_either_direction():
    both = [agreement(BEFORE, AFTER), agreement(AFTER, BEFORE)]
    assert [each.equal for each in both] == [1, 1]
    assert [each.furthest for each in both] == pytest.approx([0.4, 0.4])
    assert "1 of 4" in str(agreement_table("core", {"other": both[0]}, cards=4))


def test_readings_become_columns_in_order():
    readings = [Reading("12", 0.5, (0.5, 0.5), "v2"), Reading("3", 0.25, (0.25,), "v2")]
    assert as_run(readings) == {"digits": ["12", "3"], "confidence": [0.5, 0.25]}
