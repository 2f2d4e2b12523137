"""What a student meets: check, predict, reveal."""

import contextlib
import json
import re
from html import unescape

import pytest

from fsdl_course.labs import case, check, exercise, predict, reveal
from fsdl_course.labs.exercise import LabError, feedback_on, plain


def right(read, truths):
    return sum(a == b for a, b in zip(read, truths, strict=True)) / len(truths) if truths else 0.0


def test_a_right_function_passes_and_is_told_what_only_the_grader_has():
    feedback = feedback_on("lab00.q1", right)
    assert feedback.passed and [part.problem for part in feedback.parts] == ["", "", ""]
    assert "8 more points go to cases that only the grader has" in repr(feedback)


def test_a_wrong_value_is_shown_with_the_call_and_what_was_expected():
    text = repr(feedback_on("lab00.q1", lambda read, truths: 1.0))
    assert "exact_match(['0123', '45', '678'], ['0123', '46', '678'])" in text
    assert "it is 1.0, and should be 0.666" in text


def test_an_error_is_shown_with_its_line():
    def failing(read, truths):
        return 1 / 0

    text = repr(feedback_on("lab00.q1", failing))
    assert "ZeroDivisionError: division by zero" in text and "return 1 / 0" in text


def test_a_value_of_a_strange_type_is_a_wrong_answer_not_an_error():
    assert "cannot be graded" in repr(feedback_on("lab00.q1", lambda read, truths: object()))


def test_a_stub_says_so_itself():
    def stub(read, truths):
        raise NotImplementedError

    with pytest.raises(NotImplementedError):
        check("lab00.q1", stub)


def test_a_function_that_changes_its_arguments_spoils_nothing():
    def greedy(read, truths):
        value = right(read, truths)
        read.clear(), truths.clear()
        return value

    assert feedback_on("lab00.q1", greedy).passed and feedback_on("lab00.q1", right).passed


def test_markup_in_a_value_is_escaped():
    assert "<script>" not in feedback_on("lab00.q1", lambda a, b: "<script>")._repr_html_()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lab77.q1", "is no lab"),
        ("lab00.q9", "they are q1"),
        ("lab00", "no question"),
        ("lab00.q6", "in prose"),
    ],
)
def test_a_question_that_does_not_exist(name, message):
    with pytest.raises(LabError, match=message):
        check(name, right)


def test_it_is_silent_inside_the_grader(monkeypatch, capsys):
    monkeypatch.setenv(exercise.GRADING, "1")
    check("lab00.q1", None)
    assert capsys.readouterr().out == ""


def test_each_part_is_shown_as_soon_as_it_is_known():
    texts = []

    def interrupted(read, truths):
        if len(texts) == 2:
            raise KeyboardInterrupt
        return right(read, truths)

    with contextlib.suppress(KeyboardInterrupt):
        feedback_on("lab00.q1", interrupted, progress=lambda feedback: texts.append(repr(feedback)))
    assert len(texts) >= 2 and [text.count("  ok  ") for text in texts[:2]] == [1, 2]


def test_a_notebook_shows_one_feedback_that_grows(monkeypatch):
    displayed = []

    class Handle:
        def update(self, feedback):
            displayed.append(len(feedback.parts))

    def display(feedback, display_id):
        displayed.append(len(feedback.parts))
        return Handle()

    monkeypatch.setattr("IPython.get_ipython", object)
    monkeypatch.setattr("IPython.display.display", display)
    check("lab00.q1", right)
    assert displayed == [1, 2, 3]


def test_check_prints_where_there_is_no_notebook(capsys):
    check("lab00.q1", right)
    assert "ok  a leading zero counts" in capsys.readouterr().out


def test_predict_wants_an_answer_first():
    with pytest.raises(NotImplementedError, match="Write down your prediction first: how many"):
        predict("how many", None)
    assert predict("how many", 0) is None


@pytest.mark.parametrize(
    ("prediction", "measured", "comment"),
    [
        (10, 40, "a factor of 4 between them"),
        (40, 10, "a factor of 4"),
        (10, 10.5, "you were right"),
        (0, 5, "said 0 s"),
    ],
)
def test_reveal_puts_both_side_by_side(capsys, prediction, measured, comment):
    reveal(prediction, measured, "s")
    assert comment in capsys.readouterr().out


def test_plain_is_what_the_grader_sees():
    assert plain((1, {"a": (2.5, None)})) == json.loads('[1, {"a": [2.5, null]}]')


def test_a_failing_case_can_be_called_up_whole():
    text = repr(feedback_on("lab02.q5", lambda *_: "fresh"))
    assert 'case("lab02.q5", 2)' in text and "…" in text  # the call in the feedback is cut
    whole = case("lab02.q5", 2)
    assert whole.expected == "missing" and whole.arguments[1:] == [3500, 1440, "v2", 1000]
    assert "…" not in repr(whole) and "should return 'missing'" in repr(whole)
    assert repr(whole).startswith("lab02.q5, one run of each kind:\nverdict(\n    [{'started': 1000")


def test_cases_are_counted_through_all_parts_as_the_feedback_does():
    text = feedback_on("lab02.q5", lambda runs, *_: "missing" if not runs else "fresh")._repr_html_()
    assert re.findall(r'case\("lab02.q5", (\d+)\)', unescape(text))[:3] == ["2", "8", "9"]


@pytest.mark.parametrize(
    ("name", "number", "message"),
    [
        ("lab02.q5", 0, "the public cases 1 to"),
        ("lab02.q5", 99, "the public cases 1 to"),
        ("lab02.q9", 1, "there is no question 'q9'"),
        ("lab02.q6", 1, "in prose"),
    ],
)
def test_a_case_that_does_not_exist_is_refused(name, number, message):
    with pytest.raises(LabError, match=message):
        case(name, number)


def test_a_stub_is_a_line_in_a_notebook_and_no_traceback():
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell()
    displayed = []
    shell._showtraceback = lambda kind, value, lines: displayed.append((kind.__name__, list(lines)))
    cell = "def exact_match(read, truths):\n    raise NotImplementedError  # your code here\n"
    shell.run_cell(cell + "from fsdl_course.labs import check\ncheck('lab00.q1', exact_match)")
    line = "lab00.q1: nothing written yet. Write exact_match above, then run this cell again."
    assert displayed == [("NothingWritten", [line])]
