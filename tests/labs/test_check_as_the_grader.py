"""``check`` in a notebook says what the grader would say, whatever a function does, and always comes back."""

import dataclasses
import json
import sys
import threading

import pytest

from fsdl_course.labs import bounded, convert, exercise, questions
from fsdl_course.labs.backends.unprotected import Unprotected
from fsdl_course.labs.sandbox import Sandbox
from fsdl_deploy.paths import ROOT

SECONDS = 0.2
BEHAVIOURS = {
    "raises": "raise ValueError('no\\nsecond line')",
    "raises_without_words": "raise type('Odd', (Exception,), {'__str__': lambda self: 1 / 0})",
    "ends": "import sys; sys.exit(3)",
    "ends_its_process": "import os; os._exit(0)",
    "interrupts": "raise KeyboardInterrupt",
    "recurses": "return recurses(*arguments)",
    "shouts": "print('x' * 10**6, end='')",
    "reads": "return input('a number: ')",
    "a_set": "return {1, 2}",
    "an_object": "return object()",
    "a_function": "return print",
    "keys_of_numbers": "return {1: 2}",
    "nan": "return float('nan')",
    "infinite": "return [float('inf')] * 3",
    "huge": "return 10**400",
    "too_huge": "return 10**5000",
    "deep": "x = []\n    for _ in range(100): x = [x]\n    return x",
    "long": "return [0] * 10**6",
    "true": "return True",
    "nothing": "return None",
    "the_first_argument": "return arguments[0] if arguments else None",
    "kinds": "return [type(argument).__name__ for argument in arguments]",
    "mutates": "[a.clear() for a in arguments if hasattr(a, 'clear')]; return len(arguments)",
    "counts": "calls.append(1); return len(calls)",
}
ENDLESS = {
    "endless": "while True: pass",
    "catches_everything": "while True:\n        try: sum(range(99))\n        except BaseException: pass",
    "never_leaves_c": "return 10 ** 10**9",
    "sleeps": "import time; time.sleep(60)",
}


def source(behaviours):
    return "calls = []\n" + "\n".join(
        f"def {name}(*arguments):\n    {body}" for name, body in behaviours.items()
    )


def first_question(lab):
    question = questions.load(ROOT / "labs" / lab).graded[0]
    expected = json.loads((ROOT / "labs" / lab / "expected.json").read_text(encoding="utf-8"))
    part = next(part for part in question.parts if part.public)
    return dataclasses.replace(question, seconds=SECONDS), part, expected[question.id][part.name]


def checked(lab, function):
    """What ``check`` says of the first public part: "" or a problem, without the student's line."""
    question, part, expected = first_question(lab)
    tried = exercise._tried(question.id, question, part, 0, expected, function)
    return tried.problem.partition(" (in line")[0]


def graded(lab, function, box):
    """What the grader says of the same part: the first case that fails."""
    question, part, expected = first_question(lab)
    for arguments, right in zip(part.cases, expected, strict=True):
        answer = box.call(function, arguments, SECONDS)
        if problem := answer.error or question.wrong(arguments, answer.value, right):
            return problem
    return ""


WAYS = ["a process", "a thread"] if sys.platform == "linux" else ["a thread"]
LABS = [(lab, way) for way in WAYS for lab in convert.names() if way == WAYS[0] or lab in ("lab00", "lab06")]
# A thread that never leaves C cannot be ended: only Linux has processes here.
NEVER_ENDING = [
    (name, way) for way in WAYS for name in ENDLESS if (name, way) != ("never_leaves_c", "a thread")
]


@pytest.fixture(params=WAYS)
def way(request, monkeypatch):
    return the_way(request.param, monkeypatch)


def the_way(name, monkeypatch):
    if name == "a thread":
        monkeypatch.setattr(bounded, "call", bounded._in_thread)
    return name


@pytest.mark.skipif(sys.platform == "win32", reason="the grader itself needs a container engine there")
@pytest.mark.parametrize(("lab", "way"), LABS)
def test_both_say_the_same_of_a_first_exercise(lab, way, monkeypatch):
    the_way(way, monkeypatch)
    behaviours = {name: body for name, body in BEHAVIOURS.items() if way == "a process" or "its_" not in name}
    names: dict = {}
    exec(source(behaviours), names)
    with Sandbox([source(behaviours)], Unprotected()) as box:
        for name in behaviours:
            problem = graded(lab, name, box)
            names["calls"].clear()  # the grader runs the notebook's cells anew for each call
            assert checked(lab, names[name]) == problem, name
            assert problem or name in ("true", "nothing", "the_first_argument"), name


@pytest.mark.parametrize(("name", "way"), NEVER_ENDING)
def test_what_never_ends_is_ended_and_called_so(name, way, monkeypatch):
    the_way(way, monkeypatch)
    names: dict = {}
    exec(source(ENDLESS), names)
    assert checked("lab00", names[name]) == bounded.TOO_LONG
    with Sandbox([source({name: ENDLESS[name]})], Unprotected()) as box:
        assert graded("lab00", name, box) in (bounded.TOO_LONG, "it took too much time or memory")


def test_what_a_function_prints_is_shown_in_bounds_where_it_fails(way):
    def shouts(*_):
        print("a clue")
        print("x" * 10**6)

    feedback = exercise.feedback_on("lab00.q1", shouts)
    assert "a clue" in repr(feedback) and "more characters" in repr(feedback) and len(repr(feedback)) < 9000
    assert "<script>" not in exercise.feedback_on("lab00.q1", lambda *_: print("<script>"))._repr_html_()


def test_arguments_are_new_for_each_case_and_what_a_function_keeps_is_not(way):
    def keeps(read, truths, seen=[]):  # noqa: B006
        seen.append(1)
        read.clear()
        return len(seen)

    assert [bounded.call(keeps, [[1], []], 1).value for _ in range(3)] == [1, 1, 1]
    question, part, expected = first_question("lab00")
    tried = exercise._tried(question.id, question, part, 0, expected, keeps)
    assert tried.call.startswith("exact_match([")


def test_an_interrupt_of_the_user_ends_the_call_and_comes_through(monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(bounded.child.select, "select", interrupted)
    monkeypatch.setattr(bounded, "_wait", interrupted)
    for way in (
        (bounded._in_process, bounded._in_thread) if sys.platform == "linux" else (bounded._in_thread,)
    ):
        with pytest.raises(KeyboardInterrupt):
            way(lambda: [None for _ in iter(int, 1)], [], 5)


def test_a_thread_that_has_left_its_call_is_left_alone():
    leave, raised = threading.Event(), []

    def work():
        try:
            while not leave.wait(0.01):
                pass
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    bounded._stop(thread, threading.Lock())
    leave.set()
    thread.join()
    assert raised == []
