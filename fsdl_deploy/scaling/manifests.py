"""Manifests: the reader's, as Kustomize makes them for a kind of cluster, and checked by schemas

The manifests are in ``infra/scaling/kubernetes``: a base, and an overlay for each kind of cluster. Needs
kubectl and the station ``kubernetes``, and no cluster.
"""

import json
import subprocess
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fsdl_deploy import files
from fsdl_deploy.paths import ROOT
from fsdl_deploy.running import stations
from fsdl_deploy.scaling.kubernetes import STATION, ClusterError, kubectl

FOLDER = ROOT / "infra" / "scaling" / "kubernetes"
OVERLAYS = ("laptop", "cloud", "old")
CHECK = FOLDER / "check.py"


def overlay_folder(overlay: str) -> Path:
    """Where an overlay is; ValueError lists those there are."""
    if overlay not in OVERLAYS:
        raise ValueError(f"the overlays are {', '.join(OVERLAYS)}, not {overlay!r}")
    return FOLDER / "overlays" / overlay


def render(overlay: str) -> str:
    """The manifests of an overlay as one YAML text, as a cluster gets them."""
    program = kubectl()
    if program is None:
        raise stations.NotBuilt(stations.station(STATION).not_built())
    command = [str(program), "kustomize", str(overlay_folder(overlay))]
    process = subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    if process.returncode:
        raise ClusterError(f"kubectl kustomize: {process.stderr.strip()[-500:]}")
    return process.stdout


def problems(texts: Iterable[str], version: str = "1.37") -> list[list[str]]:
    """What the schemas of this version of Kubernetes find wrong in each text of manifests; [] where nothing.

    Each problem names the resource and the field. As strict as ``kubernetes-validate --strict``: a field that
    the schema does not have is a problem.
    """
    command = [str(stations.python(STATION)), str(CHECK), version]
    asked = json.dumps(list(texts))
    process = subprocess.run(command, input=asked, capture_output=True, text=True, timeout=120)
    if process.returncode:
        raise ClusterError(f"the check did not run: {process.stderr.strip()[-500:]}")
    return json.loads(process.stdout)


@dataclass(frozen=True)
class Mutant:
    """A copy of a manifest with one ``slip``; ``text`` is what came of it."""

    slip: str
    file: str
    before: str
    after: str

    @property
    def text(self) -> str:
        """The manifest with the slip in it; ValueError where there is nothing to slip on."""
        text = (FOLDER / "base" / self.file).read_text(encoding="utf-8")
        return files.replaced_once(text, self.before, self.after, self.file)


def mutants() -> list[Mutant]:
    """The broken copies that the check must refuse."""
    return [
        Mutant(**entry) for entry in tomllib.loads((FOLDER / "mutants.toml").read_text("utf-8"))["mutant"]
    ]


def lines(text: str) -> int:
    """How many lines of a configuration say something: neither empty nor a comment alone."""
    stripped = (line.strip() for line in text.splitlines())
    return sum(bool(line) and not line.startswith("#") and line != "---" for line in stripped)


def sources(overlay: str = "laptop") -> dict[str, str]:
    """The files that somebody wrote for this overlay: name -> text."""
    folders = [FOLDER / "base", overlay_folder("laptop"), overlay_folder(overlay)]
    files = [file for folder in dict.fromkeys(folders) for file in sorted(folder.glob("*.yaml"))]
    return {file.relative_to(FOLDER).as_posix(): file.read_text(encoding="utf-8") for file in files}
