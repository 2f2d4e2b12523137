"""The course's commands; ``make`` only calls them: python tasks.py COMMAND

  setup         make .venv with everything the lessons need, or finish an interrupted set-up
  lab           set up, then open JupyterLab on your copy in work/ (more words go to `jupyter lab`)
  test          set up, then validate everything
  course        set up, then execute every notebook and write a report under build/
  notebooks     set up, then make the notebooks/*.ipynb whose source changed (--again: all of them)
  labs          set up, then make labs/ again from solutions/
  station NAME  set up, then build one station; without NAME: list them
  lock          resolve requirements.in and package.json again into their locks (--upgrade: newer versions)
  clean         remove build/ and caches, never work/ (--all: .venv with its stations too)

Standard library only. It also loads in a Python too old for the course, to look for one that fits:
so nothing here may need Python 3.7 or newer, and the course's packages are imported inside functions.
"""

import glob
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = os.path.dirname(os.path.abspath(__file__))
SUPPORTED = ((3, 11), (3, 12))
CACHES = ("__pycache__", ".pytest_cache", ".ruff_cache", ".hypothesis", ".ipynb_checkpoints")
# What `test` does, in this order, with the environment's Python. A step that fails stops no other.
NBVAL = ["--nbval-lax", "--nbval-sanitize-with", "tests/nbval_sanitize.cfg", "--nbval-cell-timeout", "600"]
NBVAL += ["--nbval-kernel-startup-timeout", "180", "-p", "no:cacheprovider", "--ignore", "tests/fixtures"]
# Many tests wait for processes to start: three at a time, each file and each notebook in one piece. The
# notebooks take longest and come first, so that no worker is left alone with one at the end.
TOGETHER = ["-n", "3", "--dist", "loadfile", "--no-loadscope-reorder", "--durations", "20"]
TEST_STEPS = [
    ("lint", ["ruff", "check", "."]),
    ("format", ["ruff", "format", "--check", "."]),
    ("notebooks keep the contract", ["fsdl_course.cli", "notebooks", "check"]),
    ("notebooks are what their sources say", ["fsdl_course.cli", "notebooks", "build", "--check"]),
    ("labs keep the contract and are what their sources say", ["fsdl_course.cli", "labs", "--check"]),
    (
        "every notebook runs and says what it said; package, browser and infra tests",
        ["pytest", "notebooks", "solutions", "tests", *NBVAL, *TOGETHER],
    ),
]


def fitting_python(which=shutil.which, run=subprocess.check_output):
    """The command of a supported Python on PATH, as a list, or None; one that does not run is passed over."""
    commands = [["python{}.{}".format(*version)] for version in SUPPORTED]
    if os.name == "nt":
        commands = [["py", "-{}.{}".format(*version)] for version in SUPPORTED] + commands
    for command in commands:
        if not which(command[0]):
            continue
        try:
            told = run(
                [*command, "-c", "import sys; print(*sys.version_info[:2])"], stderr=subprocess.DEVNULL
            )
        except (OSError, subprocess.SubprocessError):
            continue
        if tuple(int(part) for part in told.split()) in SUPPORTED:
            return command
    return None


def replace(command, environ=None):
    """Become this command: same process where the system can do that, else its exit status is ours."""
    words = [str(word) for word in command]
    sys.stdout.flush()
    if os.name != "nt":
        os.execvpe(words[0], words, environ or dict(os.environ))
    try:
        return subprocess.call(words, env=environ)
    except KeyboardInterrupt:
        return 130


def in_own_environment():
    """Whether this process runs from .venv, which it may have to rebuild."""
    return os.path.realpath(sys.prefix) == os.path.realpath(os.path.join(ROOT, ".venv"))


def main(words):
    """Run one command; return its exit status."""
    sys.stdout.reconfigure(line_buffering=True, errors="replace") if sys.version_info >= (3, 7) else None
    command, rest = (words[0], words[1:]) if words else ("help", [])
    if command not in COMMANDS or "--help" in words[1:2]:
        print(__doc__)
        return 0 if command in ("help", "-h", "--help") or command in COMMANDS else 2
    here = [os.path.join(ROOT, "tasks.py"), *words]
    if sys.version_info[:2] not in SUPPORTED:
        found = fitting_python()
        if found is None:
            wanted = " or ".join("{}.{}".format(*version) for version in SUPPORTED)
            said = (
                "The course needs Python {} and this is {}.{}: install one, then run the same command again."
            )
            print(said.format(wanted, *sys.version_info[:2]), file=sys.stderr)
            return 1
        return replace([*found, *here])
    base = getattr(sys, "_base_executable", None)
    if in_own_environment() and base and not os.path.samefile(base, sys.executable):
        return replace([base, *here])
    from fsdl_course.setup.environment import SetupError
    from fsdl_course.workspace.copies import WorkspaceError
    from fsdl_deploy.running.stations import StationError

    try:
        return COMMANDS[command](rest) or 0
    except (SetupError, StationError, WorkspaceError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted; the same command goes on from here.", file=sys.stderr)
        return 130


def setup(words=(), strict=False):
    """Build what is missing; return the core environment.

    A station that cannot be built here stops only its own notebooks, unless ``strict``.
    """
    from fsdl_course.setup import environment
    from fsdl_course.setup.stations import ensure
    from fsdl_deploy.running.stations import stations

    core = environment.core()
    if not core.ready():
        print(f"Setting up the course in {core.folder} (log: {core.log}) …")
    python = core.ensure()

    def build(name):
        def say(line):  # the lines of two alternate: an indented one says whose it is
            print(f"  {name}: {line.strip()}" if line.startswith(" ") else line)

        try:
            ensure(name, builder=python, say=say)
        except environment.SetupError as error:
            return error
        return None

    wanted = [station.name for station in stations().values() if station.setup]
    with ThreadPoolExecutor(2) as pool:  # one downloads or waits for the disk while the other computes
        told = zip(wanted, pool.map(build, wanted))  # noqa: B905 - read by older Pythons, too
        broken = [(name, error) for name, error in told if error]
    for name, error in broken:
        if strict:
            raise error
        print(f"The station {name} is not built; its notebook will try again. {error}")
    subprocess.call([str(python), "-m", "fsdl_course.setup.images"], cwd=ROOT)
    return core


def in_course(words, environ=None):
    """Words for a Python module -> (command, environment) that run it in the core environment."""
    from fsdl_course.setup.installer import clean_environ

    python = setup().python
    return [str(python), "-m", *words], dict(clean_environ(python), **(environ or {}))


def lab(words):
    """JupyterLab on the tour of the working copy, which follows the course where nobody touched it."""
    from fsdl_course.workspace import copies, jupyterlab

    command, environ = in_course(["jupyterlab"])
    for sentence in copies.refresh(Path(ROOT)).sentences():
        print(sentence)
    command += [*jupyterlab.options(Path(ROOT)), *words]
    os.chdir(ROOT)
    print("Starting JupyterLab …")
    return replace(command, environ)


def test(words):
    """Every step of TEST_STEPS; 1 if any failed."""
    core = setup(strict=True)
    from fsdl_course.setup.installer import clean_environ

    # What a killed kernel leaves goes with this folder. Its name is short: it stands in the paths of sockets.
    scratch = tempfile.mkdtemp(prefix="fsdl-")
    os.chmod(scratch, 0o755)  # root's PostgreSQL runs as another user
    environ, results = dict(clean_environ(core.python), TMPDIR=scratch, TEMP=scratch, TMP=scratch), []
    # Many servers are started: each is there in half the time if Python may keep what it has compiled.
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    environ["PYTHONPYCACHEPREFIX"] = str(core.folder / "bytecode")
    # Workers share the cores: torch's threads that wait by spinning would take them from each other.
    environ["OMP_WAIT_POLICY"] = "PASSIVE"
    try:
        for number, (name, module) in enumerate(TEST_STEPS, start=1):
            print(f"\n[{number}/{len(TEST_STEPS)}] {name}")
            started = time.monotonic()
            status = subprocess.call([str(core.python), "-m", *module], cwd=ROOT, env=environ)
            results.append((name, status, time.monotonic() - started))
            print(f"[{number}/{len(TEST_STEPS)}] {name}: {verdict(status)}, {results[-1][2]:.0f} s")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    print("\n" + "\n".join(f"{verdict(status):7}{took:6.0f} s  {name}" for name, status, took in results))
    return 1 if any(status for _, status, _ in results) else 0


def verdict(status):
    return "ok" if status == 0 else "FAILED"


def course(words):
    command, environ = in_course(["fsdl_course.cli", "notebooks", "course", *words])
    return subprocess.call(command, cwd=ROOT, env=environ)


def notebooks(words):
    command, environ = in_course(["fsdl_course.cli", "notebooks", "build", *words])
    return subprocess.call(command, cwd=ROOT, env=environ)


def labs(words):
    command, environ = in_course(["fsdl_course.cli", "labs", *words])
    return subprocess.call(command, cwd=ROOT, env=environ)


def station(words):
    """Build one station, or list them."""
    from fsdl_course.setup.stations import ensure, environment
    from fsdl_deploy.running import stations

    if words:
        stations.station(words[0])  # a wrong name is said before anything is built
        print(ensure(words[0], builder=setup().python))
    else:
        for station in stations.stations().values():
            built = "built" if environment(station).ready() else "not built"
            print(f"{station.name:12} {built:10} {station.purpose}")
    return 0


def lock(words):
    """Resolve from the public index alone: other sources may lack the files of other platforms, and a
    constraint of this machine is nobody else's."""
    from fsdl_course.setup import environment, installer, sources

    python = environment.core().python
    if not installer.has_uv(python):  # else: a lock that is broken can be made again all the same
        python = setup().python
    settings = installer.pip_settings(python)
    passed_over = (*sources.SOURCES, "constraint")
    settings = {name: value for name, value in settings.items() if name not in passed_over}
    environ = dict(installer.clean_environ(python), **sources.uv_variables(settings)[0])
    options = ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-emit-package", "torch"]
    options += ["--override", "infra/left-out.txt"]
    options += ["--custom-compile-command", "make lock", "--quiet", *words]
    for source in [
        "requirements.in",
        *sorted(glob.glob("infra/**/requirements.in", root_dir=ROOT, recursive=True)),
    ]:
        print(source)
        command = [str(python), "-m", "uv", "pip", "compile", *options, source, "-o", source[:-2] + "lock"]
        if subprocess.call(command, cwd=ROOT, env=environ) != 0:
            return 1
    for source in sorted(glob.glob("infra/**/package.json", root_dir=ROOT, recursive=True)):
        print(source)
        folder = os.path.dirname(source)
        node = ["uv", "run", "--no-project", "--with-requirements", os.path.join(folder, "requirements.lock")]
        npm = ["python", "-c", environment.NPM, "install", "--package-lock-only", *environment.NPM_OPTIONS]
        command = [str(python), "-m", *node, *npm, "--omit-lockfile-registry-resolved", "--prefix", folder]
        if subprocess.call(command, cwd=ROOT, env=environ) != 0:
            return 1
    return 0


def clean(words):
    """Remove what the commands made; the working tree of git and the student's copies stay as they are."""
    from fsdl_course.setup.environment import LOCK, empty, locked

    own = os.path.join(ROOT, ".venv")
    if "--all" in words and os.path.isdir(own):
        with locked(Path(own)):  # not under the feet of a set-up
            empty(Path(own), keep={LOCK})
        shutil.rmtree(own)
    doomed = [os.path.join(ROOT, "build")]
    for folder, names, _ in os.walk(ROOT):
        if folder == ROOT and "work" in names:
            names.remove("work")  # the student's, with JupyterLab's checkpoints
        doomed += [os.path.join(folder, name) for name in names if name in CACHES]
        names[:] = [name for name in names if name not in (*CACHES, ".git", ".venv", "build")]
    for path in doomed:
        if os.path.isdir(path):
            shutil.rmtree(path)
    return 0


COMMANDS = {
    "setup": lambda words: setup() and 0,
    "lab": lab,
    "test": test,
    "course": course,
    "notebooks": notebooks,
    "labs": labs,
    "station": station,
    "lock": lock,
    "clean": clean,
}

if __name__ == "__main__":
    try:
        status = main(sys.argv[1:])
    except BrokenPipeError:  # who read the output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 141  # what a shell says of a program that SIGPIPE ended
    sys.exit(status)
