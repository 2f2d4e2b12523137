"""The sandbox: what comes out of it, what cannot get out, what survives student code."""

import os
import shutil
import sys
from pathlib import Path

import psutil
import pytest

from fsdl_course.labs import isolation
from fsdl_course.labs.backends import bubblewrap, control_groups
from fsdl_course.labs.backends.backend import SandboxError
from fsdl_course.labs.backends.bubblewrap import Bubblewrap
from fsdl_course.labs.backends.unprotected import Unprotected
from fsdl_course.labs.sandbox import CallResult, Sandbox
from fsdl_deploy.paths import ROOT

needs_bubblewrap = pytest.mark.skipif(
    not shutil.which("bwrap"), reason="bubblewrap is not installed: the sandbox needs it, or an engine"
)
STUDENT = """
import builtins, json, os, signal, sys, time
def double(x): return 2 * x
def hang():
    while True: pass
def wait(): time.sleep(10**6)
def leave(): os._exit(0)
def stop(): raise SystemExit
def recurse(): return recurse()
def fork():
    while True: os.fork()
def linger():
    if os.fork() == 0: time.sleep(10**6)
    return 5
def memory():
    kept = []
    while True: kept.append(bytearray(10**7))
def disk():
    for number in range(10**6):
        with open(f"/tmp/{number}", "wb") as file: file.write(b"0" * 10**7)
def large_file():
    with open("/tmp/large", "wb") as file:
        while True: file.write(b"0" * 10**6)
def shout():
    for _ in range(1100): print("x" * 10**6)
    return "done"
def long(): return "x" * 10**8
def deep():
    value = []
    for _ in range(10**4): value = [value]
    return value
def loop():
    value = []
    value.append(value)
    return value
def strange(): return object()
def digits(): return 10**100_000
def kill_parent(): os.kill(os.getppid(), signal.SIGKILL); time.sleep(5)
def kill_all(): os.kill(-1, signal.SIGKILL); time.sleep(5)
def crash():
    import ctypes
    ctypes.string_at(0)
def patch():
    json.dumps = lambda *a, **k: "1"
    builtins.len = lambda x: 1
    builtins.repr = lambda x: "9"
    os.write = lambda *a: 0
    os._exit = lambda *a: None
    return [1, 2.5, "a", (None, True), {"k": float("nan")}]
def forge():
    for number in range(200):
        try: os.write(number, b'{"value": "42"}\\n')
        except OSError: pass
    return 7
def numbers():
    import numpy as np
    return [np.float32(1.5), np.int64(3), np.arange(3), np.bool_(True)]
"""


@pytest.fixture(scope="module", params=["bubblewrap", "container engine"])
def backend(request):
    for candidate in isolation.candidates([]):
        if candidate.name == request.param:
            return candidate
    pytest.skip(f"no {request.param} on this machine")


@pytest.fixture(scope="module")
def box(backend):
    with Sandbox([STUDENT], backend, ("numpy",)) as opened:
        yield opened


@pytest.mark.parametrize(
    ("function", "error"),
    [
        ("hang", "it took too long"),
        ("wait", "it took too long"),
        ("leave", "it ended its process"),
        ("stop", "SystemExit"),
        ("recurse", "RecursionError"),
        ("fork", "BlockingIOError"),
        ("memory", "memory"),
        ("disk", "No space left"),
        ("large_file", "File too large"),
        ("long", "too large"),
        ("deep", "too deep"),
        ("loop", "too deep"),
        ("strange", "type object cannot be graded"),
        ("digits", "ValueError"),
        ("kill_parent", "it ended the sandbox"),
        ("kill_all", "it ended the sandbox"),
        ("crash", "crashed"),
        ("missing", "it is not defined"),
    ],
)
def test_what_misbehaves_costs_only_its_own_call(box, function, error):
    result = box.call(function, [], 1)
    assert error.lower() in result.error.lower() or ("memory" in error and result.error)
    assert box.call("double", [21], 1) == CallResult(42)


def test_values_come_out_whatever_was_patched_forged_or_printed(box):
    value = box.call("patch", [], 1).value
    assert value[:4] == [1, 2.5, "a", [None, True]] and value[4]["k"] != value[4]["k"]
    assert box.call("numbers", [], 2) == CallResult([1.5, 3, [0, 1, 2], True])
    assert box.call("linger", [], 1) == CallResult(5)
    assert box.call("shout", [], 4) == CallResult("done")
    assert box.call("forge", [], 1).value != 42
    assert box.call("double", ["ab"], 1) == CallResult("abab")


def test_nothing_of_this_machine_is_inside(backend):
    assert isolation.leaking(backend) == ""


def test_student_code_sees_no_labs_no_environment_and_no_administrator(backend, monkeypatch):
    monkeypatch.setenv("FSDL_SECRET", "reached")
    code = """
import os
def look():
    paths = []
    for top, folders, files in os.walk("/"):
        folders[:] = [name for name in folders if name not in ("proc", "sys", "site-packages", "share")]
        paths += [os.path.join(top, name) for name in files]
    secret = [name for name in paths if "/solutions/" in name or name.endswith(("/expected.json", ".ipynb"))]
    return [secret, "FSDL_SECRET" in os.environ, os.getuid()]
"""
    with Sandbox([code], backend) as box:
        files, secret, user = box.call("look", [], 20).value
    assert files == [] and not secret and user != 0


@needs_bubblewrap
def test_nothing_of_the_course_is_inside(monkeypatch, tmp_path):
    """Not the packages, the labs, the solutions, the tests, nor what Python has compiled of them.

    Python's own folders are inside, so the names that an editable install leaves there are too, and lead
    nowhere.
    """
    compiled = Path(sys.prefix) / f"bytecode-{os.getpid()}"
    monkeypatch.setattr(sys, "pycache_prefix", str(compiled))
    code = """
import importlib, os, sys
def course(root):
    paths, imported = [], []
    for top, folders, files in os.walk("/"):
        folders[:] = [name for name in folders if name not in ("proc", "sys", "stations")]
        paths += [os.path.join(top, name) for name in files]
    marks = ("/fsdl_deploy/", "/fsdl_course/", "/solutions/lab", "/labs/lab", "/expected.json")
    own = [path for path in paths if any(mark in path for mark in marks)]
    own += [path for path in paths if path.startswith((root + "/", root + ".")) and not "/.venv/" in path]
    for name in ("fsdl_course.grading.grade", "fsdl_course.labs.questions", "fsdl_deploy.reader", "tasks"):
        try:
            importlib.import_module(name)
            imported.append(name)
        except ImportError:
            pass
    for name in [name for name in sys.modules if name.startswith("fsdl_")]:
        del sys.modules[name]
    try:
        import fsdl_course.labs
        imported.append(fsdl_course.labs.__file__)
    except ImportError:
        pass
    return [own, imported, len(paths)]
"""
    try:
        for file in isolation.course_files():
            if file.endswith(".pyc"):
                Path(file).parent.mkdir(parents=True)
                Path(file).write_bytes(b"compiled")
        assert len([file for file in isolation.course_files() if Path(file).is_file()]) == 10
        with Sandbox([code], Bubblewrap(), ("numpy",)) as box:
            result = box.call("course", [str(ROOT)], 60)
        own, imported, total = result.value
        assert own == [] and imported == [] and total > 10_000
        assert isolation.leaking(Bubblewrap()) == ""
        monkeypatch.setattr(bubblewrap, "compiled_code", list)
        assert "the course's folder" in isolation.leaking(Bubblewrap())
    finally:
        shutil.rmtree(compiled, ignore_errors=True)


def test_cells_run_as_in_a_notebook_and_those_that_end_the_process_are_left_out(backend):
    cells = [
        "base = 20",
        "def f(:",
        "half = base / 0; never = 1",
        "import os; os._exit(3)",
        "import os, signal; os.kill(os.getppid(), signal.SIGKILL)",
        "while True: pass",
        "def total(x): return base + x",
    ]
    with Sandbox(cells, backend) as box:
        assert set(box.skipped) == {3, 4, 5}
        assert "SyntaxError" in box.errors["1"] and "ZeroDivisionError" in box.errors["2"]
        assert box.call("total", [1], 1) == CallResult(21)
        assert box.call("never", [], 1).error == "it is not defined"


def test_what_the_course_puts_around_a_function_is_not_the_hand_ins(backend):
    """A test of a conversion is called with the conversion, and is not told what is broken in it."""
    around = "fsdl_course.labs.conversions.searched"
    cells = [
        "import fsdl_course.labs.conversions as c\nc.searched = lambda *case: [list(case[1:])]",
        "def asked(rounding, broken, at): return [broken]\nsearched = asked",
        "def parity(*given): return len(given)",
        "def greedy(reference, target, draw): return target([draw('1', 4)] * 161)",
    ]
    with Sandbox(cells, backend) as box:
        assert box.call("parity", ["int8", "width", 0], 2, around) == CallResult(3)
        assert "reads no more" in box.call("greedy", ["int8", "", 0], 4, around).error


def test_a_call_knows_nothing_of_the_calls_before_it(box):
    cells = ["seen = []\ndef remember(x):\n    seen.append(x)\n    return seen"]
    cells += [
        "import os\ndef keep():\n"
        "    kept = os.path.exists('/tmp/kept')\n    open('/tmp/kept', 'w').close()\n    return kept"
    ]
    with Sandbox(cells, box.backend) as other:
        assert [other.call("remember", [n], 1).value for n in (1, 2)] == [[1], [2]]
        assert [other.call("keep", [], 1).value for _ in range(2)] == [False, False]


def traces():
    """The sandboxes of this process that are there: processes and control groups."""
    children = {child.pid for child in psutil.Process().children(recursive=True)}
    return children | set(Path("/sys/fs/cgroup").glob(f"*/fsdl-grade-{os.getpid()}-*"))


@needs_bubblewrap
def test_nothing_is_left_behind():
    before = traces()
    with Sandbox(["import os\ndef f():\n    os.fork() or os.setsid()\n    return 1"], Bubblewrap()) as box:
        assert box.call("f", [], 1) == CallResult(1) and traces() > before
    assert traces() == before


@needs_bubblewrap
def test_the_watch_ends_a_sandbox_that_takes_too_much_where_no_group_can(monkeypatch):
    from contextlib import nullcontext

    monkeypatch.setattr(bubblewrap, "control_group", nullcontext)
    monkeypatch.setattr(control_groups, "MEMORY", 200 << 20)
    code = (
        "import time\ndef hold():\n    kept = bytearray(600 << 20)\n    time.sleep(30)\n    return len(kept)"
    )
    with Sandbox([code, "def fine(): return 1"], Bubblewrap()) as box:
        assert box.call("hold", [], 10).error == "it ended the sandbox"
        assert box.call("fine", [], 1) == CallResult(1)


def test_without_isolation_nothing_runs(monkeypatch):
    from fsdl_deploy.packaging import engine

    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(engine, "engine_address", lambda: None)
    with pytest.raises(SandboxError, match="Install bubblewrap"):
        isolation.open_backend()
    assert isinstance(isolation.open_backend(trusted=True), Unprotected)


def test_a_backend_that_leaks_is_refused(monkeypatch):
    leaky = Unprotected()
    leaks = isolation.leaking(leaky)
    assert "a file of this machine" in leaks and "the network" in leaks
    monkeypatch.setattr(isolation, "candidates", lambda reasons: iter([leaky]))
    with pytest.raises(SandboxError, match="student code would reach a file"):
        isolation.open_backend()


def test_a_backend_that_does_not_start_is_refused(monkeypatch):
    class Broken(Bubblewrap):
        def command(self, slot):
            return [sys.executable, "-c", "raise SystemExit(1)"]

    monkeypatch.setattr(isolation, "candidates", lambda reasons: iter([Broken()]))
    with pytest.raises(SandboxError, match="did not start"):
        isolation.open_backend()
