"""The feedback page: evidence before points, and nothing of a student's is markup."""

import re

from fsdl_course.capstone import feedback, points
from fsdl_course.capstone.brief import brief_of
from fsdl_course.capstone.points import BROKEN, HELD, UNKNOWN
from fsdl_course.capstone.verdicts import CriterionVerdict

NASTY = "</pre><script>alert(1)</script>"


def verdicts() -> list[CriterionVerdict]:
    """Recovery broken, p99 unknown, the others held."""
    events = [{"t": float(n), "what": "died", "status": 1, "log": f"line {n} {NASTY}"} for n in range(6)]
    special = {"recovery": (BROKEN, "it did not come back", events), "p99": (UNKNOWN, "busy", [])}
    return [CriterionVerdict(row.name, *special.get(row.name, (HELD, "fine", []))) for row in points.TABLE]


def test_what_broke_comes_first_with_its_evidence_and_points_come_last():
    text = feedback.feedback_page("ann", brief_of(1), verdicts())
    order = [
        text.index(part) for part in ("1 broken, 1 unknown, 8 held", "<h2>Broken", "<h2>Unknown", "<h2>Held")
    ]
    order += [text.index("<h2>Points"), text.index("78 of 100")]
    assert order == sorted(order)
    assert text.index("Look at this first") < text.index("<h2>Broken")
    assert text.index("line 2") < text.index("3 more") < text.index("line 3")


def test_nothing_that_a_service_printed_or_a_student_is_called_is_markup():
    text = feedback.feedback_page(f"ann{NASTY}", brief_of(1), verdicts(), problem=NASTY)
    assert "<script" not in text and "&lt;script" in text
    answers = [{"t": 1.0, "what": "answer", "fields": {"digits": NASTY}, "expected": {"read": NASTY}}]
    assert "<script" not in feedback.described(answers[0])


def test_a_folder_that_was_not_started_says_why_and_earns_nothing():
    text = feedback.feedback_page("ann", brief_of(1), [], problem="there is no capstone.toml")
    assert "there is no capstone.toml" in text and f"0 of {points.TOTAL}" in text
    assert len(re.findall("0 of ", text)) == len(points.TABLE) + 1


def test_a_replay_is_drawn_with_words_for_it(tmp_path):
    file = tmp_path / "history.jsonl"
    file.write_text('{"t": 1.5, "what": "answer", "due": 1.0, "status": 200}\n', encoding="utf-8")
    text = feedback.feedback_page("ann", brief_of(1), verdicts(), history=file)
    assert re.search(r'<img alt="Waits over the replay: 1 answered[^"]+" src="data:image/png', text)
