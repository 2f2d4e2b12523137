"""No isolation: student code can do all that you can. Only for code that you trust."""

import contextlib
import os
import sys
import tempfile
from dataclasses import dataclass

from fsdl_course.labs.backends.backend import (
    ENVIRONMENT,
    Backend,
    SandboxError,
    SandboxProcess,
    bytecode,
    spawn,
)
from fsdl_course.labs.inside.program import program


@dataclass
class Unprotected(Backend):
    """The program as a child of this process, in a folder of its own."""

    name: str = "none (--i-trust-these)"
    alone: bool = False

    def start(self, slot: int) -> SandboxProcess:
        if not hasattr(os, "fork"):
            raise SandboxError(
                "Without a sandbox, grading runs on Linux and macOS only: on Windows start a container "
                "engine, or grade in WSL"
            )
        undo = contextlib.ExitStack()
        folder = undo.enter_context(tempfile.TemporaryDirectory(prefix="fsdl-grade-"))
        environ = {**ENVIRONMENT, **bytecode(), "HOME": folder}
        return spawn([sys.executable, "-s", "-c", program()], undo, env=environ, cwd=folder)
