"""Where packages come from: pip's configuration, said in uv's words, and the wheel of torch to ask for.

uv installs in seconds what takes pip minutes, but it does not read pip's configuration. This file
translates it, and says so when there is something it cannot translate, so that pip does the work then.
Standard library only: set-up runs it before anything is installed. Knows nothing of virtual environments.
"""

import ast
import os
import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from fsdl_deploy.paths import ROOT

TORCH_LOCK = ROOT / "requirements-torch.lock"
TORCH_VARIABLE = "FSDL_TORCH_INDEX"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"

SOURCES = ("index-url", "extra-index-url", "find-links", "no-index")

# What pip's configuration may hold that changes nothing about which files get installed.
_HARMLESS = {
    "break-system-packages",
    "cache-dir",
    "config-file",
    "disable-pip-version-check",
    "no-color",
    "no-input",
    "no-python-version-warning",
    "no-warn-script-location",
    "prefer-binary",
    "progress-bar",
    "quiet",
    "require-virtualenv",
    "retries",
    "root-user-action",
    "upgrade-strategy",
    "use-feature",
    "user",
    "verbose",
}


def pip_settings(listing: str) -> dict[str, str]:
    """What ``pip config list`` printed -> the options that ``pip install`` would use, {"find-links": "…"}.

    pip lets ``[install]`` win over ``[global]``, and PIP_* variables over both.
    """
    sections: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in listing.splitlines():
        match = re.fullmatch(r"(global|install|:env:)\.([\w-]+)=(.*)", line.strip())
        if match:
            section, name, value = match.groups()
            try:
                sections[section][name.replace("_", "-").lower()] = str(ast.literal_eval(value))
            except (SyntaxError, ValueError):
                sections[section][name] = value
    return sections["global"] | sections["install"] | sections[":env:"]


def uv_variables(settings: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """pip's options -> (environment variables that tell uv the same, names of options uv has no word for).

    Variables rather than arguments: an address may carry a password, and arguments show in process lists.
    """
    variables: dict[str, str] = {}
    unknown: list[str] = []
    for name, value in settings.items():
        words = value.split()
        if not words or name in _HARMLESS:
            continue
        if name == "index-url":
            variables["UV_DEFAULT_INDEX"] = value.strip()
        elif name == "extra-index-url":
            variables["UV_INDEX"] = " ".join(words)
        elif name == "find-links":
            variables["UV_FIND_LINKS"] = ",".join(words)
        elif name == "constraint":
            variables["UV_CONSTRAINT"] = " ".join(words)
        elif name == "no-index":
            variables |= {"UV_NO_INDEX": "1"} if _true(value) else {}
        elif name == "no-cache-dir":
            variables |= {"UV_NO_CACHE": "1"} if _true(value) else {}
        elif name == "trusted-host":
            variables["UV_INSECURE_HOST"] = " ".join(words)
        elif name == "cert":
            variables["SSL_CERT_DIR" if Path(value).is_dir() else "SSL_CERT_FILE"] = value
        elif name == "client-cert":
            variables["SSL_CLIENT_CERT"] = value
        elif name == "proxy":
            variables |= {"HTTP_PROXY": value, "HTTPS_PROXY": value}
        elif name in ("timeout", "default-timeout"):
            variables["UV_HTTP_TIMEOUT"] = str(int(float(value)))
        elif name == "keyring-provider" and value in ("disabled", "subprocess"):
            variables["UV_KEYRING_PROVIDER"] = value
        else:
            unknown.append(name)
    # pip looks in every source and takes the best; uv would stop at the first one that has the name.
    variables["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return variables, unknown


def _true(value: str) -> bool:
    return value.strip().lower() in ("1", "true", "yes", "on")


def names_a_source(settings: dict[str, str]) -> bool:
    """Whether pip's configuration says where packages come from, instead of leaving it to PyPI."""
    return any(settings.get(name, "").strip() for name in SOURCES if name != "no-index")


@dataclass(frozen=True)
class Torch:
    """One way to get torch: the requirement, the sums demanded of the file, and the only source, if any."""

    requirement: str
    sums: tuple[str, ...] = ()
    index: str | None = None  # None: wherever pip's configuration says
    dependencies: bool = False

    @property
    def where(self) -> str:
        return re.sub(r"//[^/@]*@", "//", self.index) if self.index else "pip's configured sources"

    def lines(self) -> str:
        """The text of a requirements file."""
        return " ".join([self.requirement, *(f"--hash=sha256:{digest}" for digest in self.sums)]) + "\n"


def locked_torch(lock: Path = TORCH_LOCK) -> tuple[str, dict[str, str]]:
    """requirements-torch.lock -> (version, {wheel's file name: sha256}); ValueError names a bad line."""
    version, sums = "", {}
    for line in lock.read_text(encoding="utf-8").splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) == 1 and words[0].startswith("torch=="):
            version = words[0].removeprefix("torch==")
        elif len(words) == 2 and re.fullmatch(r"[0-9a-f]{64}", words[0]) and words[1].endswith(".whl"):
            sums[words[1]] = words[0]
        else:
            raise ValueError(f"{lock.name}: cannot read the line {line!r}: restore it with git checkout")
    if not version:
        raise ValueError(f"{lock.name} names no version of torch: restore it with git checkout")
    return version, sums


def torch_ways(
    settings: dict[str, str],
    environ: dict[str, str],
    python: tuple[int, int] = sys.version_info[:2],
    system: str | None = None,
    machine: str | None = None,
    lock: Path = TORCH_LOCK,
) -> list[Torch]:
    """The ways to get torch, in the order to try them. On Linux none of them brings CUDA unless asked to.

    FSDL_TORCH_INDEX (an index, or a folder of wheels) is the only way where it is set. Else, on Linux, the
    +cpu wheel: from the sources of pip's configuration where it names any, then from PyTorch's own index.
    """
    system, machine = system or platform.system(), (machine or platform.machine()).lower()
    version, sums = locked_torch(lock)
    chosen = environ.get(TORCH_VARIABLE, "").strip()
    if chosen:
        return [Torch(f"torch=={version}", index=chosen, dependencies=True)]
    local = "+cpu" if system == "Linux" else ""
    tag = f"cp{python[0]}{python[1]}"
    word = {"Linux": "linux", "Darwin": "macos", "Windows": "win"}.get(system, system.lower())
    machine = {"arm64": "aarch64"}.get(machine, machine) if system == "Linux" else machine
    fitting = tuple(
        digest
        for name, digest in sums.items()
        if name.startswith(f"torch-{version}{local}-{tag}-{tag}-")
        and word in name
        and name.endswith(f"{machine}.whl")
    )
    here = Torch(f"torch=={version}{local}", fitting)
    if not local:
        return [here]
    pytorch = Torch(here.requirement, fitting, index=CPU_INDEX)
    return [here, pytorch] if names_a_source(settings) else [pytorch]


def variables(settings: dict[str, str], tool: str, index: str | None = None) -> dict[str, str | None]:
    """What to set in the environment of ``tool`` ("uv" or "pip"); None: take the variable away.

    With ``index`` (an address, or a folder of wheels) the tool looks there and nowhere else.
    """
    if index is None:
        return dict(uv_variables(settings)[0]) if tool == "uv" else {}
    others = {name: value for name, value in settings.items() if name not in SOURCES}
    environ: dict[str, str | None]
    if tool == "uv":
        environ = {
            "UV_DEFAULT_INDEX": None,
            "UV_INDEX_URL": None,
            "UV_INDEX": None,
            "UV_EXTRA_INDEX_URL": None,
        }
        environ |= {"UV_FIND_LINKS": None, "UV_NO_INDEX": None, **uv_variables(others)[0]}
        names = ("UV_DEFAULT_INDEX", "UV_FIND_LINKS", "UV_NO_INDEX")
    else:
        # pip ignores an empty variable and falls back to its files, so the files are hidden from it
        # and everything in them that is not a source is said again as a variable.
        environ = {f"PIP_{name.replace('-', '_').upper()}": None for name in SOURCES}
        environ |= {f"PIP_{name.replace('-', '_').upper()}": value for name, value in others.items()}
        environ["PIP_CONFIG_FILE"] = os.devnull
        names = ("PIP_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX")
    folder = Path(index).expanduser()
    if "://" not in index and folder.is_dir():
        return environ | {names[1]: folder.resolve().as_uri(), names[2]: "1"}  # spaces would end a path
    return environ | {names[0]: index}
