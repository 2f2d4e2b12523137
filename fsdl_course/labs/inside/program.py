"""The program that a sandbox runs, as one text: no file of the course has to be in the sandbox.

It is the ``runner``, after the modules that it needs and those that a lab's cells import:
``fsdl_course.labs``, and ``fsdl_deploy.labs``, as the labs of 2026's first edition call it.
"""

import functools
from pathlib import Path

LABS = Path(__file__).resolve().parent.parent
MODULES = {  # by the name under which they are imported; each after those that it imports
    "fsdl_course.labs.inside.values": LABS / "inside" / "values.py",
    "fsdl_course.labs.inside.child": LABS / "inside" / "child.py",
    "fsdl_course.labs.exercise": LABS / "exercise.py",
}
PREPARE = """
import sys, types

for name, text in {texts!r}.items():
    module = sys.modules[name] = types.ModuleType(name)
    exec(compile(text, name, "exec"), vars(module))
exercise = sys.modules["fsdl_course.labs.exercise"]
for package in ("fsdl_course", "fsdl_deploy"):
    labs = types.ModuleType(package + ".labs")
    vars(labs).update(check=exercise.check, predict=exercise.predict, reveal=exercise.reveal)
    sys.modules[package] = types.ModuleType(package)
    sys.modules[package].labs = sys.modules[package + ".labs"] = labs
del exercise, labs, module, name, package, text
"""


@functools.cache
def program() -> str:
    """Python's text of the sandbox's program, for ``python -c``."""
    texts = {name: file.read_text(encoding="utf-8") for name, file in MODULES.items()}
    runner = (LABS / "inside" / "runner.py").read_text(encoding="utf-8")
    return PREPARE.format(texts=texts) + runner
