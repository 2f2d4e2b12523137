"""The program that a sandbox runs, as one text: no file of the course has to be in the sandbox.

It is the ``runner``, after the modules that it needs and those that a lab's cells import:
``fsdl_course.labs``, and ``fsdl_deploy.labs``, as the labs of 2026's first edition call it.
"""

import functools
from pathlib import Path

LABS = Path(__file__).resolve().parent.parent
MODULES = {  # by the name under which they are imported; each after those that it imports
    "fsdl_course.labs.inside.values": LABS / "inside" / "values.py",
    "fsdl_course.labs.inside.cells": LABS / "inside" / "cells.py",
    "fsdl_course.labs.inside.child": LABS / "inside" / "child.py",
    "fsdl_course.labs.inside.system_calls": LABS / "inside" / "system_calls.py",
    "fsdl_course.labs.exercise": LABS / "exercise.py",
    "fsdl_course.labs.instances": LABS / "instances.py",
    "fsdl_course.labs.ed25519": LABS / "ed25519.py",
    "fsdl_course.labs.conversions": LABS / "conversions.py",
}
PREPARE = """
import importlib.machinery, sys, types

for name, text in {texts!r}.items():
    module = sys.modules[name] = types.ModuleType(name)
    exec(compile(text, name, "exec"), vars(module))
exercise = sys.modules["fsdl_course.labs.exercise"]
public = {{name: value for name, value in vars(exercise).items() if name[0] != "_"}}
for package in ("fsdl_course", "fsdl_deploy"):
    for name in (package, package + ".labs"):
        module = sys.modules[name] = types.ModuleType(name)
        module.__path__, module.__spec__ = [], importlib.machinery.ModuleSpec(name, None, is_package=True)
    vars(module).update(public, exercise=exercise)
    sys.modules[package].labs = module

class NotHere:  # says so of any other module of the course
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in ("fsdl_course", "fsdl_deploy"):
            raise ModuleNotFoundError(name + " is not in the grader: only fsdl_course.labs is", name=name)

sys.meta_path.insert(0, NotHere)
del exercise, module, name, package, public, text
"""


@functools.cache
def program() -> str:
    """Python's text of the sandbox's program, for ``python -c``."""
    texts = {name: file.read_text(encoding="utf-8") for name, file in MODULES.items()}
    runner = (LABS / "inside" / "runner.py").read_text(encoding="utf-8")
    return PREPARE.format(texts=texts) + runner
