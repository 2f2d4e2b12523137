"""What ``make test`` validates, step by step, with the Python of the core environment.

It builds no station: what needs one that is not built is left out and told at the end.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence

from fsdl_course.setup.environment import BYTECODE, Environment
from fsdl_course.setup.installer import clean_environ
from fsdl_course.setup.stations import VARIABLE
from fsdl_deploy.paths import ROOT

NBVAL = ["--nbval-lax", "--nbval-sanitize-with", "tests/nbval_sanitize.cfg", "--nbval-cell-timeout", "600"]
NBVAL += ["--nbval-kernel-startup-timeout", "180", "-p", "no:cacheprovider", "--ignore", "tests/fixtures"]
# Many tests wait for processes to start: three at a time, each file and each notebook in one piece. The
# notebooks take longest and come first, so that no worker is left alone with one at the end.
TOGETHER = ["-n", "3", "--dist", "loadfile", "--no-loadscope-reorder", "--durations", "20"]
# A browser that draws without a graphics card wants more than a core: nothing runs beside its tests.
BROWSERS = ["tests/prototype/test_browser_prototype.py", "tests/setup/test_browser_jupyterlab.py"]
EXECUTED = ROOT / "build" / "course"  # the notebooks as nbval ran them, and their pages
REPORTS = ROOT / "build" / "reports"
INTERRUPTED_SECONDS = 60  # for what is interrupted to end what it had started
NOTHING_CHOSEN = 5  # pytest's status where the words choose none of a step's tests
# In this order. A step that fails stops no other.
STEPS = [
    ("lint", ["ruff", "check", "."]),
    ("format", ["ruff", "format", "--check", "."]),
    ("notebooks keep the contract", ["fsdl_course.cli", "notebooks", "check"]),
    ("notebooks are what their sources say", ["fsdl_course.cli", "notebooks", "build", "--check"]),
    ("labs keep the contract and are what their sources say", ["fsdl_course.cli", "labs", "--check"]),
    (
        "every notebook runs and says what it said; package and infra tests",
        [
            *("pytest", "notebooks", "solutions", "tests", *NBVAL, *TOGETHER),
            *(word for file in BROWSERS for word in ("--ignore", file)),
            *("--executed", str(EXECUTED), "--junitxml", str(REPORTS / "tests.xml")),
        ],
    ),
    ("pages in a real browser", ["pytest", *BROWSERS, "--junitxml", str(REPORTS / "browser.xml")]),
    ("the executed notebooks as pages", ["fsdl_course.cli", "notebooks", "pages"]),
]


def validate(
    core: Environment, words: Sequence[str] = (), steps: Sequence[tuple[str, list[str]]] | None = None
) -> bool:
    """Run every step and print how each ended; True if none failed. ``words`` are for pytest."""
    steps = STEPS if steps is None else steps
    shutil.rmtree(EXECUTED, ignore_errors=True)  # of an earlier run
    # What a killed kernel leaves goes with this folder. Its name is short: it stands in the paths of sockets.
    scratch = tempfile.mkdtemp(prefix="fsdl-")
    os.chmod(scratch, 0o755)  # root's PostgreSQL runs as another user
    environ, results = dict(clean_environ(core.python), TMPDIR=scratch, TEMP=scratch, TMP=scratch), []
    # Many servers are started: each is there in half the time if Python may keep what it has compiled.
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    environ["PYTHONPYCACHEPREFIX"] = str(core.folder / BYTECODE)
    environ[VARIABLE] = "built"
    # Workers share the cores: torch's threads that wait by spinning would take them from each other.
    environ["OMP_WAIT_POLICY"] = "PASSIVE"
    try:
        for number, (name, module) in enumerate(steps, start=1):
            if module[-1] == "pages" and words and not any(EXECUTED.rglob("*.ipynb")):
                continue  # of the tests that were chosen none is a notebook's
            print(f"\n[{number}/{len(steps)}] {name}")
            started = time.monotonic()
            command = [str(core.python), "-m", *module, *(words if module[0] == "pytest" else ())]
            status = _call(command, environ)
            if status == NOTHING_CHOSEN and words:
                status = 0
            results.append((name, status, time.monotonic() - started))
            print(f"[{number}/{len(steps)}] {name}: {verdict(status)}, {results[-1][2]:.0f} s")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        print("\n" + "\n".join(f"{verdict(status):7}{took:6.0f} s  {name}" for name, status, took in results))
    return not any(status for _, status, _ in results)


def _call(command: list[str], environ: dict[str, str]) -> int:
    """The status of a command. One that Ctrl-C interrupts may end its workers and kernels first."""
    with subprocess.Popen(command, cwd=ROOT, env=environ) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(INTERRUPTED_SECONDS)
            process.kill()
            raise


def verdict(status: int) -> str:
    return "ok" if status == 0 else "FAILED"
