"""Runs the commands of a set-up: each with a progress line, its output in a log, its failure explained.

uv where it can follow pip's configuration, else pip. Standard library only: set-up runs it before anything
is installed. Knows nothing of stamps, nor of when an environment needs building.
"""

import contextlib
import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from fsdl_course.setup import sources, store
from fsdl_course.setup.failures import DAMAGED, UNREACHABLE, SetupError, cause
from fsdl_deploy import proxies

HEARTBEAT_SECONDS = 20


def clean_environ(python: Path) -> dict[str, str]:
    """This process's environment as ``activate`` would leave it, without what bends imports."""
    environ = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")}
    environ["PATH"] = f"{python.parent}{os.pathsep}{environ.get('PATH', os.defpath)}"
    if (python.parent.parent / "pyvenv.cfg").exists():
        environ["VIRTUAL_ENV"] = str(python.parent.parent)
    # Each file once, in the store; the environments link to it. (macOS clones, which costs as little.)
    if sys.platform != "darwin":
        environ.setdefault("UV_LINK_MODE", "hardlink")
    proxies.settle(environ, socks=False)
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
    store: Path | None = None  # None: where uv and npm keep theirs
    forgotten: set[str] = field(default_factory=set)

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
                self._install_uv(uv.group())
                self.tool = "uv" if has_uv(self.runner) else "pip"

    def _install_uv(self, requirement: str) -> None:
        """uv by pip; its wheel stays in the store, so that a set-up from the store needs no network."""
        what = "uv, which installs the rest"
        if self.store is None:
            return self.install(what, requirement)
        wheels = store.wheels(self.store)
        version = requirement.split()[0].removeprefix("uv==")
        if not any(wheels.glob(f"uv-{version}-*.whl")):
            words = ["download", "-qq", "--no-deps", "--only-binary=:all:", "--dest", wheels]
            self.pip(what, words, requirement)
        try:
            self.pip("uv from the store", ["install", "-qq", "--no-deps"], requirement, index=str(wheels))
        except SetupError:  # a damaged file must not stop the next try too
            shutil.rmtree(wheels)
            raise

    def pip(self, what: str, words: list, requirements: str, index: str | None = None) -> None:
        """One command of this environment's own pip, with ``requirements`` as its file."""
        variables = sources.variables(self.settings, "pip", index)
        with _requirements(requirements) as file:
            command = [self.python, "-m", "pip", *words, "--progress-bar=off", "--require-hashes", "-r", file]
            self.run(what, command, variables, theirs_first=index is None)

    def install(self, what: str, requirements: str, *options: str | Path, index: str | None = None) -> None:
        """Install what the ``requirements`` say; their sums are demanded if there are any."""
        if self.tool == "uv":
            command = [self.runner, "-m", "uv", "pip", "install", "--python", self.python]
        elif self.builder:
            command = [self.runner, "-m", "pip", "--python", self.python, "install", "--progress-bar=off"]
        else:
            command = [self.python, "-m", "pip", "install", "--progress-bar=off"]
        command += ["--require-hashes"] if "--hash=" in requirements else []
        variables = sources.variables(self.settings, self.tool, index)
        if "--hash=" in requirements:  # every version is named: uv refuses a constraint that names a range
            variables["UV_CONSTRAINT"] = None
        with _requirements(requirements) as file:
            command += ["-r", file] if requirements else []
            command += options or ["--no-deps"]
            try:
                self.run(what, command, variables, theirs_first=index is None)
            except SetupError as error:
                damaged = DAMAGED.search(error.printed)
                if damaged and damaged[1] not in self.forgotten:
                    self.forget([damaged[1]])
                    return self.install(what, requirements, *options, index=index)
                if self.tool != "uv" or UNREACHABLE not in str(error):
                    raise
                try:  # what the store has needs no network, however old the index is that came with it
                    self.run(f"{what}, from the store", [*command, "--offline"], variables, index is None)
                except SetupError:
                    raise error from None

    def forget(self, names: list[str]) -> None:
        """Take packages out of the environment and out of the store: they are damaged there."""
        self.forgotten |= set(names)
        uv = [self.runner, "-m", "uv"]
        self.run("what is damaged leaves the store", [*uv, "cache", "clean", *names])
        with contextlib.suppress(SetupError):  # of a package that is only half there
            self.run("and goes", [*uv, "pip", "uninstall", "--python", self.python, *names])

    def torch(self) -> None:
        """The wheel of torch that fits this machine, from the first source that has it."""
        try:
            ways = sources.torch_ways(self.settings, dict(os.environ), version_of(self.python) or (0, 0))
        except ValueError as error:
            raise SetupError(str(error)) from None
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
        if self.store is not None:
            environ |= store.variables(self.store)
        proxies.settle(environ, socks=self.tool == "uv")
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
        # What is installed is for all to read, whatever the umask: a sandbox runs as another user.
        held = {"pass_fds": (self.handle,), "umask": 0o022} if os.name != "nt" else {}
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
            printed = printed.rpartition(f"== {what}\n")[2]
            sentence = cause(printed)
            if sentence == UNREACHABLE:
                sentence = " ".join([sentence, *proxies.problems(environ)])
            error = SetupError(f"Set-up of {self.name} stopped at {what}. {sentence} (Log: {self.log.name})")
            error.printed = printed
            raise error


@contextlib.contextmanager
def _requirements(text: str) -> Iterator[Path]:
    """A requirements file with this text, for as long as a command needs it."""
    with tempfile.TemporaryDirectory(prefix="fsdl-deploy-") as folder:
        file = Path(folder) / "requirements.txt"
        file.write_text(text, encoding="utf-8")
        yield file


def version_of(python: Path) -> tuple[int, int] | None:
    """(3, 11) for an interpreter that runs; None for one that is missing or broken."""
    try:
        asked = [str(python), "-I", "-S", "-c", "import sys; print(*sys.version_info[:2])"]
        process = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=True)
        major, minor = process.stdout.split()
        return int(major), int(minor)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def pip_settings(python: Path) -> dict[str, str]:
    """pip's configuration, as that interpreter's pip reads it."""
    return _pip_settings(python, tuple(item for item in os.environ.items() if item[0].startswith("PIP_")))


@functools.cache  # starting pip takes a second, and set-up asks again for every station
def _pip_settings(python: Path, variables: tuple) -> dict[str, str]:
    asked = [str(python), "-m", "pip", "config", "list"]
    process = subprocess.run(asked, capture_output=True, text=True, timeout=300, env=clean_environ(python))
    return sources.pip_settings(process.stdout)


def has_uv(python: Path) -> bool:
    """Whether ``python -m uv`` works."""
    return uv_version(python) is not None


def uv_version(python: Path) -> str | None:
    """The version of ``python -m uv``; None where it does not work."""
    try:
        asked = [str(python), "-m", "uv", "--version"]
        process = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=True)
        return process.stdout.split()[1]
    except (OSError, IndexError, subprocess.SubprocessError):
        return None
