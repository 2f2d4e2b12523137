"""The lecture's sentences: each has a place that exists and a verdict that results decide, never a hand."""

import json

import pytest

from fsdl_course import claims, cli
from fsdl_course.claims import FAILS, HOLDS, NOT_MEASURED, PARTLY, Claim, ClaimError
from fsdl_deploy.paths import ROOT

LECTURE = ROOT.parent / "shared" / "lecture"  # beside some clones; the course does without it
COPIES = """
[[claim]]
number = 115
quote = "multiple **copies** of your [model](https://model.example)"
source = "notes"
lesson = "07"
notebook = "07_scaling"
section = "Replicas"
holds = "rates[3] > 2 * rates[1]"
partly = "rates[3] > 1.2 * rates[1]"
shows = "{rates[1]:.0f}/s and {rates[3]:.0f}/s"
"""
RUNGS = [{"rung": "teacher", "per_second": 10.0}, {"rung": "v2", "per_second": 300.0}]


def course(folder, *texts):
    """A small course with these claims, a lesson, a record and a lecture."""
    files = {
        claims.FILE.as_posix(): "\n".join(texts),
        "notebooks/source/07_scaling.py": '# ## Replicas\n# %%\nmeasured["rates"] = {1: 10}\n',
        "models/ladder.json": json.dumps({"rungs": RUNGS}),
        "lecture/notes.md": "Traffic goes to multiple **copies** of your\n[model](https://m.example) here.",
        "lecture/slides.txt": "• Scale",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def verdict(claim, **results):
    return Claim(1, "…", "notes", "07", **claim).verdict(results)


def test_results_decide_and_nothing_else():
    rule = {"holds": "rates[3] > 2 * rates[1]", "partly": "rates[3] > 1.2 * rates[1]"}
    verdicts = [verdict(rule, rates={1: 10, 3: three}) for three in (29, 15, 10)]
    assert verdicts == [HOLDS, PARTLY, FAILS]
    assert verdict(rule) == verdict(rule, other=1) == NOT_MEASURED
    assert verdict({"holds": "rates[3] > 2 * rates[1]"}, rates={1: 10, 3: 15}) == FAILS


def test_what_was_measured_is_said_in_words():
    claim = Claim(1, "…", "notes", "07", shows="sooner: {sooner}, {rates[3]:.1f}/s, {ends[0]}")
    assert claim.measured({"sooner": False, "rates": {3: 2}, "ends": [True]}) == "sooner: no, 2.0/s, yes"
    assert claim.measured({"sooner": True, "rates": {}}) == ""


def test_a_row_is_looked_up_by_its_name():
    claim = Claim(1, "…", "notes", "07", shows="v2: {row(rungs, rung='v2')['per_second']:.0f}/s")
    assert claim.measured({"rungs": RUNGS}) == "v2: 300/s"
    assert claim.measured({"rungs": RUNGS[:1]}) == claim.measured({}) == ""


def test_a_rule_that_cannot_be_evaluated_names_its_claim():
    with pytest.raises(ClaimError, match=r"claim 1: 'rates\[3\] > 1' cannot be evaluated: KeyError"):
        verdict({"holds": "rates[3] > 1"}, rates={1: 10})


def test_a_lessons_table_has_what_was_measured_and_counts_what_is_to_come(tmp_path):
    waiting = '[[claim]]\nnumber = 2\nquote = "Scale"\nsource = "slides"\nlesson = "07"\nto_come = "07"'
    other = waiting.replace("= 2", "= 3").replace('lesson = "07"', 'lesson = "08"')
    table = claims.claims("07", {"rates": {1: 10, 3: 12.6}}, course(tmp_path, COPIES, waiting, other))
    assert table.rows == [
        ["“multiple **copies** of your [model](https://model.example)”", "10/s and 13/s", PARTLY]
    ]
    assert table.notes == ["1 more of the lecture's sentences on this are to come."]
    assert claims.claims("07", {}, tmp_path).rows[0][1:] == ["", NOT_MEASURED]
    with pytest.raises(ClaimError, match="lesson '7'"):
        claims.claims("7", {}, tmp_path)


def test_a_record_decides_too(tmp_path):
    text = COPIES.replace('"rates[3] > 2 * rates[1]"', '\'row(rungs, rung="v2")["per_second"] > 29\'')
    text = text.replace('partly = "rates[3] > 1.2 * rates[1]"', 'record = "models/ladder.json"')
    root = course(tmp_path, text.replace("{rates[1]:.0f}/s and {rates[3]:.0f}/s", "{rungs[1][per_second]}/s"))
    assert claims.claims("07", {}, root).rows[0][1:] == ["300.0/s", HOLDS]
    assert not list(claims.problems(claims.read(root), root))
    (root / "models/ladder.json").write_text("{}")
    assert list(claims.problems(claims.read(root), root)) == [
        "claim 115: models/ladder.json holds no 'rungs'"
    ]


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('holds = "rates[3] > 2 * rates[1]"', 'verdict = "holds"', "unknown verdict"),
        ('holds = "rates[3] > 2 * rates[1]"', 'holds = "3 > 2"', "decided by no result"),
        ("2 * rates[1]", "rates.__class__", "more than compare"),
        ("2 * rates[1]", "open(rates)", "more than compare"),
        ("2 * rates[1]", "", "no expression"),
        ("{rates[1]:.0f}/s and", "{open(rates)} and", "more than compare"),
        ("{rates[1]:.0f}/s and", "{rates[1]:.0f/s and", "no text with fields"),
        ('section = "Replicas"', "", "in which `section`"),
        ("notes", "book", "source is one of notes, slides"),
        ("holds =", "to_come = '08'\nholds =", "it has `holds`, or"),
        ("quote =", "# quote =", "quote is missing"),
    ],
)
def test_a_claim_that_is_not_whole_is_refused(tmp_path, before, after, message):
    assert before in COPIES
    with pytest.raises(ClaimError, match=f"claim 115: .*{message}"):
        claims.read(course(tmp_path, COPIES.replace(before, after)))


def test_a_number_is_given_once(tmp_path):
    with pytest.raises(ClaimError, match="claim 115 is there twice"):
        claims.read(course(tmp_path, COPIES, COPIES))


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("07_scaling", "08_rollouts", "there is no notebook 08_rollouts"),
        ('"Replicas"', '"Balancers"', "07_scaling has no section 'Balancers'"),
        ("rates", "speeds", 'no cell of 07_scaling sets measured["speeds"]'),
        ("holds", "record = 'models/gone.json'\nholds", "there is no record models/gone.json"),
    ],
)
def test_a_place_that_does_not_exist_is_named(tmp_path, before, after, problem):
    root = course(tmp_path, COPIES)
    assert not list(claims.problems(claims.read(root), root))
    root = course(tmp_path, COPIES.replace(before, after))
    assert list(claims.problems(claims.read(root), root)) == [f"claim 115: {problem}"]


def test_words_that_the_lecture_does_not_say_are_named(tmp_path):
    root = course(tmp_path, COPIES)
    assert not list(claims.misquoted(claims.read(root), root / "lecture"))
    course(tmp_path, COPIES.replace("multiple", "many"))
    assert "the notes do not say" in next(claims.misquoted(claims.read(root), root / "lecture"))
    course(tmp_path, COPIES.replace("notes", "slides"))
    assert "the slides do not say" in next(claims.misquoted(claims.read(root), root / "lecture"))


def test_every_claim_of_the_course_is_whole_and_its_place_exists():
    known = claims.read()
    assert known and not list(claims.problems(known))


if LECTURE.is_dir():

    def test_every_quotation_stands_in_the_lecture():
        assert not list(claims.misquoted(claims.read(), LECTURE))


def test_the_command_lists_a_lesson_and_refuses_another(capsys):
    assert cli.main(["claims", "08"]) == 0
    assert "08_rollouts: Gradual" in capsys.readouterr().out
    assert cli.main(["claims", "8"]) != 0
    assert "no claim belongs to a lesson '8'" in capsys.readouterr().err


def test_a_tools_claims_are_shown_in_its_own_notebook_and_named_in_the_lesson(tmp_path):
    tool = COPIES.replace("number = 115", "number = 116").replace("07_scaling", "tools/balancer")
    root = course(tmp_path, COPIES, tool)
    results = {"rates": {1: 10, 3: 29}}
    lesson = claims.claims("07", results, root)
    assert len(lesson.rows) == 1 and "tools/balancer" in lesson.notes[0]
    own = claims.claims("07", results, root, notebook="tools/balancer")
    assert [row[2] for row in own.rows] == [HOLDS] and own.notes == []
