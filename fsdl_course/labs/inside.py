"""The program that a sandbox runs, as one text: no file of the course has to be in the sandbox.

It is the ``runner``, after the few modules that a lab's cells import: ``fsdl_course.labs``, and
``fsdl_deploy.labs``, as the labs of 2026's first edition call it.
"""

import functools
from pathlib import Path

HERE = Path(__file__).resolve().parent
IMPORTS = """
import sys, types

exercise = types.ModuleType("fsdl_course.labs.exercise")
exec(compile({exercise!r}, "exercise.py", "exec"), vars(exercise))
for package in ("fsdl_course", "fsdl_deploy"):
    labs = types.ModuleType(package + ".labs")
    vars(labs).update(check=exercise.check, predict=exercise.predict, reveal=exercise.reveal)
    sys.modules[package] = types.ModuleType(package)
    sys.modules[package].labs = sys.modules[package + ".labs"] = labs
del exercise, labs, package
"""


@functools.cache
def program() -> str:
    """Python's text of the sandbox's program, for ``python -c``."""
    exercise = (HERE / "exercise.py").read_text(encoding="utf-8")
    runner = (HERE / "runner.py").read_text(encoding="utf-8")
    return IMPORTS.format(exercise=exercise) + runner
