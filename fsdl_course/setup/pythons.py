"""Pythons on this machine: which of them the course runs on, and how one that fits is found or fetched.

Standard library only. ``tasks.py`` imports this in a Python too old for the course, to look for one that
fits: so nothing here may need Python 3.7 or newer.
"""

import os
import re
import shutil
import subprocess
import sys

SUPPORTED = ((3, 11), (3, 12), (3, 13), (3, 14))
FETCHED = (3, 12)  # what uv is asked for: every station runs on it
FETCH = "FSDL_FETCH_PYTHON"  # "1": uv may fetch a Python that fits
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WORDS = "{}.{} to {}.{}".format(*SUPPORTED[0], *SUPPORTED[-1])
ASK = "import sys; print(*sys.version_info[:2]); print(getattr(sys, '_base_executable', sys.executable))"


def in_environment(folder):
    """Where a virtual environment has its interpreter."""
    return os.path.join(folder, *(("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")))


def asked(command, run=subprocess.check_output):
    """A command's (version, base interpreter); None where it does not run, as a shim without a Python."""
    try:
        printed = run([*command, "-c", ASK], stderr=subprocess.DEVNULL)
    except (OSError, subprocess.SubprocessError):
        return None
    version, base = printed.decode(sys.getfilesystemencoding(), "replace").splitlines()[:2]
    return tuple(int(part) for part in version.split()), base


def fitting_python(versions=SUPPORTED, which=shutil.which, run=subprocess.check_output, root=ROOT):
    """An interpreter of one of the versions, of the course's environment or on PATH; None without one."""
    commands = [["python{}.{}".format(*version)] for version in versions]
    if os.name == "nt":
        commands = [["py", "-{}.{}".format(*version)] for version in versions] + commands
    commands = [[in_environment(os.path.join(root, ".venv"))], *commands]
    for command in commands:
        answer = asked(command, run) if which(command[0]) else None
        if answer and answer[0] in versions:
            return answer[1]
    return None


def uv_command(which=shutil.which, run=subprocess.check_output, root=ROOT):
    """A command that is uv: on PATH, of this Python, or of the course's environment; None without one."""
    if which("uv"):
        return ["uv"]
    for python in (sys.executable, in_environment(os.path.join(root, ".venv"))):
        try:
            run([python, "-m", "uv", "--version"], stderr=subprocess.DEVNULL)
            return [python, "-m", "uv"]
        except (OSError, subprocess.SubprocessError):
            pass
    return None


def new_uv(root=ROOT):
    """The locked uv as pip installs it below build/, checked against its sum; None where pip cannot."""
    with open(os.path.join(root, "requirements.lock"), encoding="utf-8") as file:
        locked = re.search(r"^uv==.*?(?=^\S)", file.read() + "\nend", re.MULTILINE | re.DOTALL)
    folder = os.path.join(root, "build", "uv")
    os.makedirs(folder, exist_ok=True)
    requirements = os.path.join(folder, "requirements.txt")
    with open(requirements, "w", encoding="utf-8") as file:
        file.write(locked.group())
    pip = [sys.executable, "-m", "pip"]
    install = [*pip, "install", "--quiet", "--no-deps", "--upgrade", "--target", folder]
    program = os.path.join(folder, "bin", "uv.exe" if os.name == "nt" else "uv")
    if subprocess.call([*install, "--require-hashes", "-r", requirements]) == 0 and os.path.exists(program):
        return [program]
    return None


def wants_fetching(environ=os.environ):
    """Whether somebody has said that a Python may be fetched."""
    return environ.get(FETCH, "").strip().lower() not in ("", "0", "no", "false")


def of_uv(version, fetch, uv=None):
    """uv's interpreter of this version, fetched first if asked to; None without uv or the network."""
    uv = uv or uv_command() or (new_uv() if fetch else None)
    if uv is None:
        return None
    number = "{}.{}".format(*version)
    if fetch:
        print(f"Fetching Python {number} with uv …", flush=True)
        if subprocess.call([*uv, "python", "install", number]) != 0:
            return None
    find = [*uv, "python", "find", "--no-project", "--system", "--no-python-downloads", number]
    try:
        path = subprocess.check_output(find, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.SubprocessError):
        return None
    return path.decode(sys.getfilesystemencoding(), "replace").strip() or None


def no_python(command):
    """What to do where no Python fits, in one sentence."""
    ours = "{}.{}".format(*sys.version_info[:2])
    if wants_fetching():
        return (
            f"The course needs Python {WORDS}, and uv could not fetch one here: install one from python.org."
        )
    return (
        f"The course needs Python {WORDS} and this is {ours}: install one (python.org has them), or let uv "
        f"fetch one: python3 tasks.py {command} --fetch-python"
    )
