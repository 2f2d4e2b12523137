"""Runs the commands of a set-up: each with a progress line, its output in a log, its failure explained.

uv where it can follow pip's configuration, else pip. Standard library only: set-up runs it before anything
is installed. Knows nothing of stamps, nor of when an environment needs building.
"""

import functools
import os
import re
import runpy
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from fsdl_course.setup import sources

HEARTBEAT_SECONDS = 20


class SetupError(RuntimeError):
    """Set-up cannot go on; the message says what to do."""


def clean_environ(python: Path) -> dict[str, str]:
    """This process's environment as ``activate`` would leave it, without what bends imports."""
    environ = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")}
    environ["PATH"] = f"{python.parent}{os.pathsep}{environ.get('PATH', os.defpath)}"
    if (python.parent.parent / "pyvenv.cfg").exists():
        environ["VIRTUAL_ENV"] = str(python.parent.parent)
    # uv would link files to its cache: whoever then edits an installed package edits the cache too, and
    # building the environment again would bring the edit back. (On macOS it clones, which is safe.)
    if sys.platform != "darwin":
        environ.setdefault("UV_LINK_MODE", "copy")
    # pip: a virtual environment has no user site, and nobody is there to answer a question.
    return environ | {"PIP_USER": "0", "PIP_NO_INPUT": "1", "PYTHONUTF8": "1"}


@dataclass
class Installer:
    """Fills one environment. ``builder`` is another environment's interpreter that has uv, or None."""

    name: str
    python: Path
    log: TextIO
    handle: int  # of the lock that the commands hold too
    builder: Path | None = None
    say: Callable[[str], None] = print
    tool: str = "uv"
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def runner(self) -> Path:
        return self.builder or self.python

    def choose(self, lock: Path) -> None:
        """Read pip's configuration; take uv where it can follow all of it (out of ``lock``), else pip."""
        self.settings = pip_settings(self.runner)
        _, unknown = sources.uv_variables(self.settings)
        if unknown:
            self.tool = "pip"
            self.say(f"  pip's configuration sets {', '.join(unknown)}: pip installs, which takes minutes")
        elif not has_uv(self.runner):
            self.tool = "pip"
            text = lock.read_text(encoding="utf-8") + "\nend"
            uv = re.search(r"^uv==.*?(?=^\S)", text, re.MULTILINE | re.DOTALL)
            if self.builder is None and uv:
                self.install("uv, which installs the rest", uv.group())
                self.tool = "uv" if has_uv(self.runner) else "pip"

    def install(self, what: str, wanted: str, *options: str | Path, index: str | None = None) -> None:
        """Install what the requirements ``wanted`` say; their sums are demanded if there are any."""
        if self.tool == "uv":
            command = [self.runner, "-m", "uv", "pip", "install", "--python", self.python]
        elif self.builder:
            command = [self.runner, "-m", "pip", "--python", self.python, "install", "--progress-bar=off"]
        else:
            command = [self.python, "-m", "pip", "install", "--progress-bar=off"]
        command += ["--require-hashes"] if "--hash=" in wanted else []
        variables = sources.variables(self.settings, self.tool, index)
        if "--hash=" in wanted:  # every version is named, and uv then refuses a constraint that names a range
            variables["UV_CONSTRAINT"] = None
        with tempfile.TemporaryDirectory(prefix="fsdl-deploy-") as folder:
            listed = Path(folder) / "requirements.txt"
            listed.write_text(wanted, encoding="utf-8")
            command += ["-r", listed] if wanted else []
            self.run(what, [*command, *(options or ["--no-deps"])], variables, theirs_first=index is None)

    def torch(self) -> None:
        """The wheel of torch that fits this machine, from the first source that has it."""
        ways = sources.torch_ways(self.settings, dict(os.environ), version_of(self.python) or (0, 0))
        for number, way in enumerate(ways, start=1):
            options = ["--upgrade"] if way.dependencies else ["--no-deps"]
            try:
                return self.install(
                    f"{way.requirement} from {way.where}", way.lines(), *options, index=way.index
                )
            except SetupError as error:
                if number == len(ways):
                    hint = (
                        f"{sources.TORCH_VARIABLE} may name an index or a folder that has {way.requirement}."
                    )
                    raise SetupError(f"{error} {hint}") from None
                self.say(f"  {way.where}: no {way.requirement} for this machine; trying {ways[number].where}")

    def run(self, what: str, command: list, variables=None, theirs_first: bool = False) -> None:
        """Run one command under the lock; SetupError with the likely cause if it fails."""
        environ = clean_environ(Path(command[0]))
        for name, value in (variables or {}).items():
            if value is None:
                environ.pop(name, None)
            elif not (theirs_first and name in os.environ):  # what a user tells uv directly wins
                environ[name] = value
        self.say(f"  {what} …")
        self.log.write(f"\n== {what}\n")
        self.log.flush()
        words = [str(word) for word in command]
        # The child holds the lock too: if this process is killed, nobody starts before the child has ended.
        held = {"pass_fds": (self.handle,)} if os.name != "nt" else {}
        child = subprocess.Popen(
            words, stdout=self.log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environ, **held
        )
        started, ended = time.monotonic(), threading.Event()

        def heartbeat() -> None:
            while not ended.wait(HEARTBEAT_SECONDS):
                self.say(f"  {what}: still at it after {time.monotonic() - started:.0f} s")

        threading.Thread(target=heartbeat, daemon=True).start()
        try:
            status = child.wait()
        except BaseException:
            child.kill()
            child.wait()
            raise
        finally:
            ended.set()
        if status != 0:
            printed = Path(self.log.name).read_text(encoding="utf-8", errors="replace")
            sentence = cause(printed.rpartition(f"== {what}\n")[2])
            raise SetupError(f"Set-up of {self.name} stopped at {what}. {sentence} Log: {self.log.name}")


def version_of(python: Path) -> tuple[int, int] | None:
    """(3, 11) for an interpreter that runs; None for one that is missing or broken."""
    try:
        asked = [str(python), "-I", "-S", "-c", "import sys; print(*sys.version_info[:2])"]
        shown = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=True)
        major, minor = shown.stdout.split()
        return int(major), int(minor)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def pip_settings(python: Path) -> dict[str, str]:
    """pip's configuration, as that interpreter's pip reads it."""
    return _pip_settings(python, tuple(item for item in os.environ.items() if item[0].startswith("PIP_")))


@functools.cache  # starting pip takes a second, and set-up asks again for every station
def _pip_settings(python: Path, variables: tuple) -> dict[str, str]:
    asked = [str(python), "-m", "pip", "config", "list"]
    shown = subprocess.run(asked, capture_output=True, text=True, timeout=300, env=clean_environ(python))
    return sources.pip_settings(shown.stdout)


def has_uv(python: Path) -> bool:
    """Whether ``python -m uv`` works."""
    try:
        asked = [str(python), "-m", "uv", "--version"]
        return subprocess.run(asked, capture_output=True, timeout=60, check=False).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False


def torch_warnings(site: Path) -> list[str]:
    """Sentences about CUDA, which the course does not need; reads files, imports no torch."""
    warnings = []
    try:
        cuda = runpy.run_path(str(site / "torch" / "version.py")).get("cuda")
    except Exception as error:  # whatever is wrong with that file, the sentence is the same
        return [f"problem: torch cannot be read ({error}): run the same command again"]
    if cuda:
        warnings.append(f"note: this torch is built for CUDA {cuda}; the course needs the CPU only")
    nvidia = sorted(path.name.split("-")[0] for path in site.glob("nvidia_*.dist-info"))
    if nvidia:
        warnings.append(f"note: {len(nvidia)} CUDA packages came along ({nvidia[0]}, …)")
    return warnings


CAUSES = (
    (
        r"no space left|disk quota|not enough space|errno 28|os error 28|os error 112",
        "The disk is full: free a few gigabytes, then run the same command again.",
    ),
    (
        r"do not match the hashes|hash mismatch",
        "A package is not the one that was locked, so it was refused: try another network, "
        "or report it if it happens again.",
    ),
    (
        r"ensurepip is not|no module named '?(venv|ensurepip)",
        "This Python cannot make virtual environments: install the package python3-venv, then run it again.",
    ),
    (
        r"name resolution|failed to establish a new connection|dns error|error sending request|getaddrinfo"
        r"|could not connect|network is unreachable|connection (refused|reset)|timed out|newconnectionerror"
        r"|max retries|failed to fetch|proxyerror|certificate",
        "The package index cannot be reached: check the network (or the proxy and certificates in pip's "
        "configuration), then run the same command again.",
    ),
    (
        r"no matching distribution|no solution found|not found in the (package registry|provided package)",
        "The sources of packages do not have the locked version for this machine.",
    ),
    (r"permission denied|os error 13", "A file cannot be written: check who owns this folder."),
)


def cause(text: str) -> str:
    """The likely cause of a failed command, from what it printed, with what to do about it."""
    for pattern, sentence in CAUSES:
        if re.search(pattern, text, re.IGNORECASE):
            return sentence
    return "Run the same command again; if it stops at the same place, read the log."
