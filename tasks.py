"""The course's commands; ``make`` only calls them: python tasks.py COMMAND

  lab           set up the core, then open JupyterLab on your copy in work/; more words go to `jupyter lab`:
                python tasks.py lab --no-browser --port 9999, or make lab ARGS="--no-browser --port 9999"
  test          set up the core, then validate it and what else is built (more words go to pytest)
  everything    set up the core and all stations: after that nothing needs a network (--record: from nothing,
                one after the other, and write what each takes into infra/sizes.json)
  setup         make .venv, the core that lessons need, or finish an interrupted set-up
  course        set up, then execute every notebook whose station is built; a report under build/
  slides        set up, then build the decks of slides/ as HTML and PDF in build/slides, and check them
  site          set up, then make the course's pages for the web of what `course` or `test` executed
  notebooks     set up, then make the notebooks/*.ipynb whose source changed (--again: all of them)
  labs          set up, then make labs/ again from solutions/
  station NAME  set up, then build one station (--remove: take it away); without NAME: list them
  lock [NAME]   resolve requirements.in and package.json again into their locks (--upgrade: newer versions)
  clean         remove build/ and caches, never work/ (--all: .venv with its stations too)

With --fetch-python, or FSDL_FETCH_PYTHON=1 in the environment, uv may fetch a Python where none fits.

Standard library only. It also loads in a Python too old for the course, to look for one that fits:
so nothing here may need Python 3.7 or newer, and the course's packages are imported inside functions.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = os.path.dirname(os.path.abspath(__file__))
FETCH = "--fetch-python"


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
    from fsdl_course.setup import pythons

    if FETCH in rest:
        os.environ[pythons.FETCH] = "1"
        rest = [word for word in rest if word != FETCH]
    here = [os.path.join(ROOT, "tasks.py"), command, *rest]
    if sys.version_info[:2] not in pythons.SUPPORTED:
        python = pythons.fitting_python() or pythons.of_uv(pythons.FETCHED, pythons.wants_fetching())
        if python is None:
            print(pythons.no_python(command), file=sys.stderr)
            return 1
        return replace([python, *here])
    base = getattr(sys, "_base_executable", None)
    if in_own_environment() and base and not os.path.samefile(base, sys.executable):
        return replace([base, *here])
    from fsdl_course.setup.failures import SetupError, cause
    from fsdl_course.workspace.copies import WorkspaceError
    from fsdl_deploy.running.stations import StationError

    unknown = [word for word in rest if command in OPTIONS and word not in OPTIONS[command]]
    if unknown:
        known = " and ".join(OPTIONS[command]) or "no words"
        print(f"{command} knows {known}, not {unknown[0]}", file=sys.stderr)
        return 2
    try:
        return COMMANDS[command](rest) or 0
    except (SetupError, StationError, WorkspaceError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"\n{error}. {cause(str(error))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted: give the same command again.", file=sys.stderr)
        return 130


def setup(words=()):
    """Build the core if it is missing; return it."""
    from fsdl_course.setup.set_up import set_up

    return set_up()


def everything(words):
    """The core and all stations, one after the other and measured with --record."""
    from fsdl_course.setup import set_up

    return set_up.record() if words else set_up.everything()


def in_course(words, environ=None):
    """Words for a Python module -> (command, environment) that run it in the core environment."""
    from fsdl_course.setup.installer import clean_environ

    python = setup().python
    return [str(python), "-m", *words], dict(clean_environ(python), **(environ or {}))


def lab(words):
    """JupyterLab on the tour of the working copy, which follows the course where nobody touched it."""
    from fsdl_course.workspace import copies, jupyterlab

    command, environ = in_course(["jupyterlab"], jupyterlab.environ(Path(ROOT)))
    for sentence in copies.refresh(Path(ROOT)).sentences():
        print(sentence)
    command += [*jupyterlab.options(Path(ROOT)), *words]
    os.chdir(ROOT)
    print("Starting JupyterLab …")
    return replace(command, environ)


def test(words):
    """Everything is validated; 1 if a step failed. More words go to pytest."""
    core = setup()
    from fsdl_course.setup.validation import validate

    return 0 if validate(core, words) else 1


def course(words):
    command, environ = in_course(["fsdl_course.cli", "notebooks", "course", *words])
    return subprocess.call(command, cwd=ROOT, env=environ)


def notebooks(words):
    command, environ = in_course(["fsdl_course.cli", "notebooks", "build", *words])
    return subprocess.call(command, cwd=ROOT, env=environ)


def slides(words):
    command, environ = in_course(["fsdl_course.cli", "slides", *words])
    return subprocess.call(command, cwd=ROOT, env=environ)


def site(words):
    command, environ = in_course(["fsdl_course.cli", "site", *words])
    return subprocess.call(command, cwd=ROOT, env=environ)


def labs(words):
    command, environ = in_course(["fsdl_course.cli", "labs", *words])
    return subprocess.call(command, cwd=ROOT, env=environ)


def station(words):
    """Build one station or remove it, or list them."""
    from fsdl_course.setup import stations as building
    from fsdl_deploy.running import stations

    names = [word for word in words if word != "--remove"]
    for name in names:
        stations.station(name)  # a wrong name is said before anything is built
    for name in names:
        if "--remove" in words:
            print(f"{name}: removed" if building.remove(name) else f"{name}: it is not built")
        else:
            print(f"{name}: ready, in {building.ensure(name, builder=setup().python).parent.parent}")
    if not names:
        print("\n".join(building.listing()))
    return 0


def lock(words):
    """Resolve from the public index alone."""
    from fsdl_course.setup import environment, installer, locks

    python = environment.core().python
    if not installer.has_uv(python):  # else: a lock that is broken can be made again all the same
        python = setup().python
    return 1 if locks.lock(python, words) else 0


def clean(words):
    """Remove what the commands made; the working tree of git and the student's copies stay as they are."""
    from fsdl_course.setup import cleaning

    cleaning.clean(environments="--all" in words)
    return 0


COMMANDS = {
    "lab": lab,
    "test": test,
    "everything": everything,
    "setup": lambda words: setup() and 0,
    "course": course,
    "slides": slides,
    "site": site,
    "notebooks": notebooks,
    "labs": labs,
    "station": station,
    "lock": lock,
    "clean": clean,
}

OPTIONS = {"setup": (), "everything": ("--record",), "clean": ("--all",)}  # of those that pass no words on

if __name__ == "__main__":
    try:
        status = main(sys.argv[1:])
    except BrokenPipeError:  # who read the output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 141  # what a shell says of a program that SIGPIPE ended
    sys.exit(status)
