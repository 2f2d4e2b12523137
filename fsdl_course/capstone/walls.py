"""Is the capstone's sandbox shut? Before each trial a program of ours tries to get out, as a service would.

What it tries is what the labs' sandbox is tried with (``isolation``), and what only a service could want.
"""

import json
import os
import subprocess
from pathlib import Path

from fsdl_course.capstone import sandboxed
from fsdl_course.capstone.sandboxed import HandInPlace
from fsdl_course.labs import isolation
from fsdl_deploy.paths import ROOT

SECONDS = 30
SECRET = "FSDL_CANARY"
HIDDEN = "fsdl_course.capstone.arena"  # the probe gets it backwards: it is in a command line, too
SERVICE = """
import json
def of_a_service(hidden):
    leaks = []
    for place in ("/service", "/models", "/dev"):
        file = os.path.join(place, "fsdl-canary")
        try: open(file, "w").close(); leaks.append("writing to " + place); os.unlink(file)
        except OSError: pass
    for name in filter(str.isdigit, os.listdir("/proc")):
        try: text = open("/proc/" + name + "/cmdline").read()
        except OSError: continue
        if hidden[::-1] in text: leaks.append("the grader's process")
    for core in os.sched_getaffinity(0), range(64):
        try: os.sched_setaffinity(0, core); leaks.append("another core")
        except OSError: pass
    return leaks
"""
CALL = "print('PROBED ' + json.dumps(reached({!r}, {!r}, {!r}, {!r}) + of_a_service({!r})))"


def leaks(place: HandInPlace, port: int) -> list[str]:
    """What a service in ``place`` would reach, in words; [] if it is shut. ``port``: one of the machine's."""
    secret = place.models.parent / "spec.json"  # a file of the grader's, beside what the service may see
    course = [
        path for path in isolation.course_files() if not Path(path).is_relative_to(ROOT / "fsdl_deploy")
    ]
    call = CALL.format(str(secret), course, port, SECRET, HIDDEN[::-1])
    os.environ[SECRET] = "1"
    running = sandboxed.start(("python3", "-c", isolation.PROBE + SERVICE + call), place)
    try:
        running.popen.wait(SECONDS)
    except subprocess.TimeoutExpired:
        pass
    finally:
        running.kill()
        del os.environ[SECRET]
    running.read.join(5)
    return answer(bytes(running.log))


def answer(log: bytes) -> list[str]:
    """What the probe printed; a probe that says nothing is a leak itself, for then nothing is known."""
    for line in log.decode("utf-8", "replace").splitlines():
        if line.startswith("PROBED "):
            return json.loads(line[7:])
    return [f"nobody knows what: the sandbox did not start ({log[-300:].decode('utf-8', 'replace').strip()})"]
