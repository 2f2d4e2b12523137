"""Grading a class: one student's trouble is theirs, no seed can be guessed, and totals know the lab."""

import json

import pytest
from course_results import put
from made_results import rows

from fsdl_course import cli
from fsdl_course.capstone import grade, hand_in, new, points, practice
from fsdl_course.capstone.points import BROKEN, HELD, UNKNOWN
from fsdl_course.capstone.verdicts import CriterionVerdict
from fsdl_course.labs.backends.backend import SandboxError

SEED = 10**6 + 7


def all_held(**other) -> list[CriterionVerdict]:
    return [
        CriterionVerdict(row.name, other.get(row.name, HELD), "why", [{"t": 1.0, "what": "answer"}])
        for row in points.TABLE
    ]


@pytest.fixture
def trials(monkeypatch):
    """Which folder and seed were tried; what comes of it is in ``trials.outcome``, by the folder's name."""

    class Trials(list):
        outcome: dict = {}  # noqa: RUF012 - made anew for each test

    calls = Trials()
    calls.outcome = {}

    def judged(folder, brief_seed, seed, out=None):
        hand_in.read(folder)
        calls.append((folder.name, seed))
        outcome = calls.outcome.get(folder.name, all_held())
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(practice, "judged", judged)
    return calls


@pytest.fixture
def hand_ins(tmp_path):
    folder = tmp_path / "hand-ins"
    for student in ("Ann Lee", "Bob"):
        new.write(folder / student, "python")
    return folder


def run(hand_ins, *options):
    return cli.main(["capstone", "grade", str(hand_ins), "--out", str(hand_ins.parent / "grades"), *options])


def test_a_seed_that_can_be_tried_at_home_is_refused(hand_ins, trials, capsys):
    assert run(hand_ins, "--seed", "4711") == 1 and trials == []
    assert "tried at home" in capsys.readouterr().err


def test_without_a_seed_one_is_drawn_and_kept_for_the_next_run(hand_ins, trials):
    assert run(hand_ins, "--rounds", "2") == 0
    seeds = {seed for _, seed in trials}
    assert len(seeds) == 2 and min(seeds) > 10**6
    new.write(hand_ins / "Cem", "python")
    trials.clear()
    assert run(hand_ins, "--rounds", "2") == 0
    assert trials == [("Cem", seed) for seed in sorted(seeds)]


def test_a_round_that_breaks_costs_the_points_and_the_others_do_not_bring_them_back():
    first, second = all_held(lost=BROKEN, p99=UNKNOWN), all_held(p99=BROKEN)
    verdicts = {verdict.criterion: verdict.verdict for verdict in grade.worst([first, second, all_held()])}
    assert verdicts == {row.name: {"lost": BROKEN, "p99": BROKEN}.get(row.name, HELD) for row in points.TABLE}


def test_one_students_trouble_is_no_other_students(hand_ins, trials, capsys):
    (hand_ins / "Bob" / "capstone.toml").unlink()
    new.write(hand_ins / "Cem", "python")
    trials.outcome["Cem"] = RuntimeError("the arena has ended")
    assert run(hand_ins, "--rounds", "1") == 1
    table = {row["student"]: row for row in rows(hand_ins.parent / "grades/capstone/scores.csv")}
    assert {name: row["points"] for name, row in table.items()} == {"Ann Lee": "100", "Bob": "0", "Cem": "0"}
    assert "no capstone.toml" in table["Bob"]["problem"]
    assert "look at this one yourself" in table["Cem"]["problem"]
    trials.clear()
    trials.outcome.clear()
    assert run(hand_ins, "--rounds", "1") == 1  # Bob's is as it was; Cem's was unknown, so it is tried again
    assert [name for name, _ in trials] == ["Cem"]


def test_no_isolation_stops_the_run(hand_ins, trials, capsys):
    trials.outcome["Ann Lee"] = SandboxError("no namespaces")
    assert run(hand_ins) == 1
    assert "no namespaces" in capsys.readouterr().err


def test_a_changed_folder_is_tried_again_and_an_unchanged_one_is_not(hand_ins, trials):
    run(hand_ins, "--rounds", "1")
    trials.clear()
    (hand_ins / "Bob" / "service.py").write_text("print(1)", encoding="utf-8")
    run(hand_ins, "--rounds", "1")
    assert [name for name, _ in trials] == ["Bob"]


def test_totals_have_the_lab_beside_the_others_with_the_record(hand_ins, trials):
    out = hand_ins.parent / "grades"
    put(out, 0, person="Bob")
    (hand_ins / "Ann Lee" / "decision.md").write_text("One queue, 32 places.", encoding="utf-8")
    trials.outcome["Ann Lee"] = all_held(cost=BROKEN)
    run(hand_ins, "--rounds", "1")
    table = out / "open.csv"
    text = table.read_text(encoding="utf-8-sig").replace("decision,10,,", "decision,10,6,", 1)
    table.write_text(text, encoding="utf-8")
    run(hand_ins, "--rounds", "1")
    cli.main(["totals", str(out)])
    counted = {(row["name"], row["lab"]): row for row in rows(out / "counted.csv")}
    assert counted["Ann Lee", "lab10"]["points"] == "100.00"  # 94 held, 6 by a person
    assert counted["Bob", "lab10"]["points"] == "100.00"
    scores = rows(out / "capstone/scores.csv")
    assert [(row["points"], row["decision"]) for row in scores] == [("94", "6"), ("100", "0")]


def test_the_result_is_kept_whole(hand_ins, trials):
    run(hand_ins, "--rounds", "1")
    (file,) = (hand_ins.parent / "grades/results").glob("lab10-Ann*.json")
    result = json.loads(file.read_text(encoding="utf-8"))["result"]
    assert result["score"] == result["max"] == points.TOTAL
    assert {question["id"] for question in result["questions"]} == {row.name for row in points.TABLE}
