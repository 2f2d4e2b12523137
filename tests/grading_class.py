"""A class of hand-ins for lab00, and what each has earned: right, half right, otherwise right, hostile."""

import copy
import json

from fsdl_course.labs import convert
from fsdl_course.notebooks.conversion import write

FULL = {"q1": 11, "q2": 14, "q3": 14, "q4": 2, "q5": 14}
HOSTILE = "import os, signal, sys, time\ndef review_queue(confidences, threshold):\n    "
# name -> ({question: code of its answer}, {question: points if not all of them})
ANSWERS = {
    "right": ({}, {}),
    "half": (
        {
            "q1": "def exact_match(a, b):\n    return sum(x == y for x, y in zip(a, b)) / len(a)",
            "q3": "def threshold_for(confidences, right, target):\n    return 2.0",
            "q5": "def plausible(before, now, most):\n    return 0 <= int(now) - int(before) <= most",
        },
        {"q1": 10, "q3": 0, "q5": 8},
    ),
    "another-way": (
        {
            "q1": "import numpy as np\ndef exact_match(a, b):\n"
            "    return np.mean(np.array(a) == np.array(b)) if a else 0",
            "q3": "def threshold_for(sure, right, target):\n"
            "    for at in sorted(sure):\n"
            "        kept = [ok for value, ok in zip(sure, right) if value >= at]\n"
            "        if kept.count(False) / len(kept) <= target:\n"
            "            return at - 1e-9\n"
            "    return 7",
        },
        {},
    ),
    "syntax error": ({"q2": "def review_queue(confidences, threshold:\n    return"}, {"q2": 0}),
    "renamed": ({"q2": "def queue(confidences, threshold):\n    return []"}, {"q2": 0}),
    "types": (
        {
            "q1": "def exact_match(a, b):\n    return '1'",
            "q2": "def review_queue(a, b):\n    return {1}",
            "q5": "def plausible(a, b, c):\n    return 1",
        },
        {"q1": 0, "q2": 0, "q5": 0},
    ),
    "nan": (
        {
            "q1": "def exact_match(a, b):\n    return float('nan')",
            "q3": "def threshold_for(a, b, c):\n    return float('nan')",
        },
        {"q1": 0, "q3": 0},
    ),
    "constant": (
        {
            "q1": "def exact_match(a, b):\n    return 0.0",
            "q2": "def review_queue(a, b):\n    return []",
            "q5": "def plausible(a, b, c):\n    return True",
        },
        {"q1": 0, "q2": 0, "q5": 0},
    ),
    "endless": ({"q2": HOSTILE + "while not confidences: pass"}, {"q2": 0}),
    "exit": ({"q2": HOSTILE + "os._exit(0)"}, {"q2": 0}),
    "killer": ({"q2": HOSTILE + "os.kill(os.getppid(), signal.SIGKILL)"}, {"q2": 0}),
    "fork bomb": ({"q2": HOSTILE + "while True: os.fork()"}, {"q2": 0}),
    "reads": (
        {
            "q2": HOSTILE
            + "raise ValueError([t + '/' + f for t, _, fs in os.walk('/') for f in fs if 'cases' in f][:9])"
        },
        {"q2": 0},
    ),
    "forger": (
        {"q2": HOSTILE + "[os.write(n, b'=[1,3]\\x04') for n in (1, 2, 7)]\n    return 'score: 100'"},
        {"q2": 0},
    ),
    "=cmd()|'<script>alert(1)</script>": (
        {"q2": "def review_queue(a, b):\n    return '</td><script>alert(1)</script>`x`'"},
        {"q2": 0},
    ),
}


def notebook(answers: dict, before: str = "") -> dict:
    """A hand-in as JSON data: the solution's notebook with these answers, and a cell before all others."""
    solved, _ = convert.both("lab00")
    content = copy.deepcopy(json.loads(write(solved)))
    for cell in content["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id", "").removeprefix("lab00-")
        if name in answers:
            cell["source"] = answers[name]
    if before:
        extra = {"cell_type": "code", "source": before, "metadata": {}, "outputs": [], "id": "extra"}
        content["cells"].insert(1, {**extra, "execution_count": None})
    return content


def earned(lost: dict) -> dict:
    return {**FULL, **lost}
