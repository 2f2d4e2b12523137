"""Days late, late days, penalties: by the rules, whatever the clock on the wall does."""

from datetime import UTC, datetime
from fractions import Fraction

import pytest
from made_results import result

from fsdl_course.grading import policy
from fsdl_course.grading.counting import Ruling, course, days_late, percent, rounded


def rules(tmp_path, text):
    (tmp_path / "policy.toml").write_text(text, encoding="utf-8")
    return policy.read(tmp_path / "policy.toml")


@pytest.mark.parametrize(
    ("handed_in", "days"),
    [
        ("2026-10-24T23:59:00", 0),
        ("2026-10-25T00:09:00", 0),  # the grace
        ("2026-10-25T00:09:01", 1),
        ("2026-10-25T22:59:00", 1),  # 24 hours: in that night the clock is put back by one
        ("2026-10-25T22:59:01", 2),
        ("2026-10-25T21:59:00+00:00", 1),
    ],
)
def test_a_day_has_24_hours_also_when_the_clock_is_changed(tmp_path, handed_in, days):
    course_rules = rules(
        tmp_path,
        'time_zone = "Europe/Berlin"\ngrace_minutes = 10\n[labs.lab00]\ndeadline = 2026-10-24T23:59:00\n',
    )
    deadline = course_rules.of("lab00").deadline
    assert deadline.astimezone(UTC) == datetime(2026, 10, 24, 21, 59, tzinfo=UTC)
    assert days_late(course_rules.moment(handed_in), deadline, course_rules) == days


def labs_of(tmp_path, late, text="", ruling=None):
    """Two labs of six points, 3 earned in each; handed in so many days after their deadlines."""
    course_rules = rules(
        tmp_path,
        text
        + "\n[labs.lab00]\ndeadline = 2026-10-05T12:00:00\n[labs.lab01]\ndeadline = 2026-10-03T12:00:00\n",
    )
    results = {}
    for lab, day, days in zip(("lab00", "lab01"), (5, 3), late, strict=True):
        moment = f"2026-10-{day + days:02}T11:00:00+00:00"
        graded = result() | {"lab": lab, "person": "ann", "handed_in": moment, "dated": ""}
        graded["open"][0]["points"] = None
        results[lab] = [graded]
    of_most = {"lab00": Fraction(6), "lab01": Fraction(6)}
    return course(results, of_most, course_rules, {"lab00": ruling} if ruling else {}), course_rules


def test_free_days_are_used_up_in_the_order_of_deadlines(tmp_path):
    (first, second), _ = labs_of(tmp_path, (2, 2), "late_days = 3\nlate_penalty = 10")
    assert (second.free, second.points) == (2, 3)  # lab01's deadline is the earlier one
    assert (first.free, first.points) == (1, Fraction(27, 10))


def test_the_penalty_has_a_cap_and_what_is_too_late_counts_nothing(tmp_path):
    text = "late_penalty = 20\nlate_cap = 50\nlatest_days = 4"
    (first, second), _ = labs_of(tmp_path, (4, 5), text)
    assert first.points == Fraction(3, 2) and second.points == 0


def test_an_instructors_points_are_final_and_an_excused_lab_is_in_no_total(tmp_path):
    ruling = Ruling(points=Fraction("5.25"))
    labs, course_rules = labs_of(tmp_path, (9, 0), "late_penalty = 100", ruling)
    assert labs[0].points == Fraction("5.25") and rounded(percent(labs, course_rules), 2) == "68.75"
    labs, course_rules = labs_of(tmp_path, (9, 0), "late_penalty = 100", Ruling(excused=True))
    assert percent(labs, course_rules) == 50


def test_a_ruling_may_choose_a_file_and_say_when_it_came(tmp_path):
    ruling = Ruling(counts="gone.ipynb", handed_in=datetime(2026, 10, 5, 9, tzinfo=UTC))
    (first, _), _ = labs_of(tmp_path, (3, 0), "late_penalty = 10", ruling)
    assert first.why.startswith("there is no hand-in gone.ipynb") and first.late == 3
    (first, _), _ = labs_of(tmp_path, (3, 0), "late_penalty = 10", Ruling(handed_in=ruling.handed_in))
    assert first.late == 0 and first.points == 3


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        ("2.345", 2, "2.35"),
        ("2.3449", 2, "2.34"),
        ("0.5", 0, "1"),
        ("99.995", 2, "100.00"),
        ("1/3", 3, "0.333"),
    ],
)
def test_points_are_rounded_half_up(value, decimals, text):
    assert rounded(Fraction(value), decimals) == text
