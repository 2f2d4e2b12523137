"""Comparing values, drawing cases, reading and writing them."""

import pytest

from fsdl_course.labs import questions
from fsdl_course.labs.questions import CasesError, Lab, OpenQuestion, Part, Question, compare

NAN = float("nan")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, 1),
        (1, 1.0),
        (0.1 + 0.2, 0.3),
        (NAN, NAN),
        (float("inf"), float("inf")),
        ([1, [2.0000000001]], [1, [2.0]]),
        ({"a": None, "b": True}, {"b": True, "a": None}),
        ("0123", "0123"),
    ],
)
def test_values_that_are_right(value, expected):
    assert compare(value, expected) == ""


@pytest.mark.parametrize(
    ("value", "expected", "difference"),
    [
        (1.0, 1, "float"),  # a count is a whole number
        (True, 1, "bool"),
        (1, True, "int"),
        (True, 1.0, "bool"),
        ("1", 1, "str"),
        (None, 0, "it is None, and should be 0 (int)"),
        (NAN, 1.0, "nan"),
        (0.31, 0.3, "should be 0.3"),
        (float("inf"), 1.0, "inf"),
        ([1, 2], [1, 2, 3], "2 items, and should have 3: it is [1, 2], and should be [1, 2, 3]"),
        ([["p95", 31]], [], "has 1 item, and should have 0: it is [['p95', 31]], and should be []"),
        ([1, [5]], [1, [2]], "item [1][0] is 5, and should be 2"),
        ({"a": 1}, {"b": 1}, "lacks 'b'"),
        ({"a": 1, "b": 2}, {"b": 2}, "'a' too much"),
        ({"a": [1, 2]}, {"a": [1, 3]}, "item ['a'][1] is 2, and should be 3"),
        ("x" * 10_000, "y", "…"),
    ],
)
def test_values_that_are_wrong_and_what_is_said(value, expected, difference):
    problem = compare(value, expected)
    assert difference in problem and len(problem) < 600


def a_lab():
    return Lab(
        [
            Question(
                *("q1", "double", "twice"),
                level=1,
                minutes=5,
                parts=[Part("small", 1, [[1], [2]]), Part("others", 2, draw=lambda r: [r.randint(0, 99)])],
            ),
            OpenQuestion("q2", "why", level=1, minutes=5, rubric={0: "no", 1: "so", 3: "yes"}),
        ]
    )


def test_points_and_questions_of_a_lab():
    lab = a_lab()
    assert lab.points == 6 and [q.id for q in lab.graded] == ["q1"] and [q.id for q in lab.open] == ["q2"]
    with pytest.raises(CasesError, match="no question 'q9': they are q1, q2"):
        lab.question("q9")


def test_a_seed_draws_the_same_private_cases_each_time_and_another_seed_others():
    lab = a_lab()
    assert questions.drawn_cases(lab, "a") == questions.drawn_cases(lab, "a")
    assert questions.drawn_cases(lab, "a") != questions.drawn_cases(lab, "b")
    assert {case.part for case in questions.drawn_cases(lab, "a")} == {"others"}
    assert [case.arguments for case in questions.public_cases(lab)] == [[1], [2]]


def test_a_judge_that_fails_on_a_strange_value_calls_it_wrong():
    question = Question("q1", "f", "t", 1, 1, [], judge=lambda arguments, value, expected: value["x"])
    assert "of no use" in question.wrong([], 3, None)


def test_cases_in_a_file_come_back(tmp_path):
    lab, path = a_lab(), tmp_path / "deep" / "lab09.json"
    cases = questions.drawn_cases(lab, "a")
    questions.write_cases(path, cases)
    assert questions.read_cases(path, lab) == cases


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "holds no cases"),
        ("[1]", "holds no cases"),
        ('{"q1": [[1]]}', "holds no cases"),
        ('{"q9": {"others": [[1]]}}', "q9"),
        ('{"q1": {"small": [[1]]}}', "no private part"),
        ('{"q1": {"others": [3]}}', "no private part"),
        ("{}", "no cases for q1 'others'"),
    ],
)
def test_files_of_cases_that_cannot_be_used(tmp_path, content, message):
    path = tmp_path / "lab09.json"
    path.write_text(content)
    with pytest.raises(CasesError, match=message):
        questions.read_cases(path, a_lab())


def test_no_file_of_cases_says_how_to_get_one(tmp_path):
    with pytest.raises(CasesError, match="fsdl-course cases"):
        questions.read_cases(tmp_path / "lab00.json", a_lab())


def test_a_folder_that_is_no_lab(tmp_path):
    with pytest.raises(CasesError, match="is no lab"):
        questions.load(tmp_path)


def test_shown_never_fails_and_is_never_long():
    loop = []
    loop.append(loop)
    for value in (loop, "x" * 1000, 10**10_000, {"a": [1]}):
        assert len(questions.as_text(value)) <= 200
    assert questions.as_text([1, "a"]) == "[1, 'a']"
