"""Solutions of labs with a mistake in them: what the grader says of each."""

import functools
import json

from fsdl_course.labs import convert
from fsdl_course.labs.around import called
from fsdl_course.labs.exercise import plain
from fsdl_course.labs.questions import drawn_cases, load, public_cases
from fsdl_deploy.paths import ROOT


@functools.cache
def sources(lab: str) -> list[str]:
    solved, _ = convert.both(lab)
    return [cell["source"] for cell in convert.gradable(solved.cells) if not cell.get("imports_only")]


@functools.cache
def expected(name: str, question: str) -> tuple:
    """The question, and each of its cases with what the solution returns."""
    lab, right = load(ROOT / "solutions" / name), solution(name, question)
    asked = [case for case in public_cases(lab) + drawn_cases(lab, "a seed") if case.question == question]
    right = called(lab.question(question), right)
    return lab.question(question), [(case, plain(right(*fresh(case.arguments)))) for case in asked]


def refused(name, question, function) -> dict[str, str]:
    """The parts that a function does not earn, with what is said of the first case that fails."""
    asked, cases = expected(name, question)
    function = called(asked, function)
    problems = {}
    for case, right in cases:
        if case.part not in problems:
            try:
                problem = asked.wrong(case.arguments, plain(function(*fresh(case.arguments))), right)
            except Exception as error:
                problem = f"{type(error).__name__}: {error}"
            if problem:
                problems[case.part] = problem
    return problems


def fresh(arguments):
    return json.loads(json.dumps(arguments))


def solution(name, question, old="", new=""):
    """The function of a question, with a part of the solution replaced."""
    namespace = {"__name__": "__main__"}
    marker = f"def {load(ROOT / 'solutions' / name).question(question).function}("
    for source in sources(name):
        if marker in source and old:
            assert old in source, "the solution has changed: adapt the mistake"
            source = source.replace(old, new)
        exec(source, namespace)
    return namespace[marker[4:-1]]
