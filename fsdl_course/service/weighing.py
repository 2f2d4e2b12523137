"""What an application says and weighs: a program of its own, whose memory is read while it waits"""

import os
import subprocess
import sys
from typing import NamedTuple


class WeighedProgram(NamedTuple):
    """The line that a program printed, and its memory (RSS) in MiB just after that."""

    line: str
    mebibytes: float


def run_and_weigh(program: str | os.PathLike, *arguments: object) -> WeighedProgram:
    """Run a Python file that prints a line and then reads its input until that ends.

    Raises RuntimeError for a program that prints nothing, with the last line of its errors.
    """
    import psutil

    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    command = [sys.executable, program, *map(str, arguments)]
    with subprocess.Popen(command, text=True, **pipes) as process:
        line = process.stdout.readline().strip()
        mebibytes = psutil.Process(process.pid).memory_info().rss / 2**20 if line else 0.0
        _, errors = process.communicate("")
    if not line:
        why = (errors.strip().splitlines() or ["it wrote no error"])[-1]
        raise RuntimeError(f"{program} ended with status {process.returncode} and printed nothing: {why}")
    return WeighedProgram(line, mebibytes)
