"""How much memory the network needs: ``arena.py FILE.tflite`` halves the range until it knows, to 16 bytes.

Prints JSON: each arena that was tried and whether the network ran in it; and what the interpreter itself says
of the smallest, in bytes: activations that come and go ("head"), and what stays ("tail").
"""

import json
import os
import re
import sys
import tempfile
from pathlib import Path

import numpy as np
from tflite_micro import runtime


def runs(model: bytes, arena: int) -> bool:
    """Whether the interpreter can place the network in an arena of so many bytes, and run it."""
    try:
        interpreter = runtime.Interpreter.from_bytes(model, arena_size=arena)
        interpreter.set_input(np.zeros(interpreter.get_input_details(0)["shape"], np.int8), 0)
        interpreter.invoke()
    except RuntimeError:
        return False
    return True


def smallest(model: bytes, low: int = 0, high: int = 1 << 20) -> tuple[int, list[tuple[int, bool]]]:
    """The smallest arena, to 16 bytes, and all that were tried. ValueError if ``high`` is too few."""
    if not runs(model, high):
        raise ValueError(f"the network does not run in {high} bytes either")
    tried = [(high, True)]
    while high - low > 16:
        middle = (low + high) // 32 * 16
        tried.append((middle, runs(model, middle)))
        low, high = (low, middle) if tried[-1][1] else (middle, high)
    return high, tried


def allocations(model: bytes, arena: int) -> dict[str, int]:
    """What the interpreter prints of its arena, which only its C++ can do: from the standard error."""
    interpreter = runtime.Interpreter.from_bytes(model, arena_size=arena)
    saved = os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            interpreter.print_allocations()
        finally:
            os.dup2(saved, 2)
            os.close(saved)
        file.seek(0)
        text = file.read().decode()
    return {name: int(size) for name, size in re.findall(r"Arena allocation (\w+) (\d+) bytes", text)}


if __name__ == "__main__":
    content = Path(sys.argv[1]).read_bytes()
    needed, attempts = smallest(content)
    print(json.dumps({"smallest": needed, "tried": attempts, "allocations": allocations(content, needed)}))
