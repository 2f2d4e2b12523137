"""What the course itself puts around a function of a hand-in, which learns no more of a case than it must

A question names it as "package.module.name"; it is called with the function and the case's arguments. The
grader's sandbox looks it up before any code of a hand-in runs.
"""

from collections.abc import Callable
from functools import partial
from importlib import import_module

from fsdl_course.labs.questions import Question


def called(question: Question, function: Callable) -> Callable:
    """What takes the arguments of a case: ``function`` itself, or what the course puts around it."""
    module, _, name = question.around.rpartition(".")
    return partial(getattr(import_module(module), name), function) if module else function
