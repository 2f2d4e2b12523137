"""Write ``recorded.json``: what five drift libraries say of the same cards, what they weigh, whom they call.

python infra/monitoring/drift_libraries/record.py        (needs a network)

Each library gets an environment of its own in a temporary folder, in the version on record below, and is
asked there (``ask.py``) while every look-up of a host is noted and refused. Their pins conflict, and
together they would take more than the course's core: so three of them are in no station.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from fsdl_deploy import files
from fsdl_deploy.cards import cards
from fsdl_deploy.measuring import records
from fsdl_deploy.monitoring.card_statistics import measure
from fsdl_deploy.reader import OnnxReader
from fsdl_deploy.running.stations import python_in

HERE = Path(__file__).parent
FILE = HERE / "recorded.json"
PINS = {
    "river": ["river==0.26.1"],
    "frouros": ["frouros==0.9.0"],
    "evidently": ["evidently==0.7.23", "pandas<3"],  # with pandas 3 its import fails
    "alibi-detect": ["alibi-detect==0.13.0"],
    "nannyml": ["nannyml==0.13.1", "statsmodels"],  # it does not ask for statsmodels, and imports it
}
QUIET = {"nannyml": {"NML_DISABLE_USAGE_LOGGING": "1"}}  # how each is told not to report
NAMES = ("grey", "contrast", "aspect", "sharpness", "digits", "confidence", "handed on")
USUAL = 10  # sets of cards like the reference: how many of these does a library call changed?
DRIFTED = ("inverted", "dark", "new pen")


def rows(reader, count: int, seed: int, drift: str | None = None) -> list[list[float]]:
    """The statistics of cards, a row for each."""
    images = [card.image for card in cards(count, "typical", seed=seed, drift=drift)]
    statistics = measure(images, reader.read(images))
    return np.stack([statistics[name] for name in NAMES], axis=1).tolist()


def question(reference: int = 1200, count: int = 200) -> dict:
    """What every library is asked."""
    reader = OnnxReader()
    sets = {f"same {number}": rows(reader, count, 200 + number) for number in range(1, USUAL + 1)}
    sets |= {drift: rows(reader, count, 300, drift) for drift in DRIFTED}
    return {"names": NAMES, "reference": rows(reader, reference, 100), "sets": sets}


def run(command: list, **options) -> subprocess.CompletedProcess:
    """Run it; RuntimeError with its last words if it fails."""
    process = subprocess.run(command, capture_output=True, text=True, timeout=1200, **options)
    if process.returncode:
        raise RuntimeError(f"{Path(command[0]).name} failed: {process.stderr.strip()[-600:]}")
    return process


def environment(**more: str) -> dict[str, str]:
    """Ours without proxies and without the marks of CI, which switch reports off."""
    unwanted = ("proxy", "CI", "GITHUB_ACTIONS", "DO_NOT_TRACK", "PYTHONPATH")
    return {name: value for name, value in os.environ.items() if not name.lower().endswith(unwanted[0])
            and name not in unwanted} | more  # fmt: skip


def asked(python: Path, library: str, asking: dict, **more: str) -> dict:
    """What ``ask.py`` says in an environment."""
    answer = run([python, HERE / "ask.py", library], input=json.dumps(asking), env=environment(**more))
    return json.loads(answer.stdout.splitlines()[-1])


def tried(library: str, asking: dict) -> dict:
    """Install a library, ask it as it comes and told to be quiet, and take it away."""
    uv = [sys.executable, "-m", "uv"]
    with tempfile.TemporaryDirectory() as folder:
        run([*uv, "venv", "--quiet", "--python", sys.executable, folder])
        empty = files.mebibytes(Path(folder))
        run([*uv, "pip", "install", "--quiet", "--link-mode", "copy", "--python", folder, *PINS[library]])
        python = python_in(Path(folder))
        listed = run([*uv, "pip", "list", "--format", "json", "--python", folder]).stdout
        versions = {package["name"]: package["version"] for package in json.loads(listed)}
        answer = asked(python, library, asking)
        quiet = asked(python, library, asking, **QUIET[library]) if library in QUIET else answer
        return {
            "library": library,
            "version": versions[library],
            "numpy": versions["numpy"],
            "packages": len(versions),
            "MiB": round(files.mebibytes(Path(folder)) - empty),
            "import": {name: round(seconds, 2) for name, seconds in answer["import"].items()},
            "hosts": answer["hosts"],
            "hosts when told to be quiet": quiet["hosts"],
            "quiet by": QUIET.get(library, {}),
            "answers": answer["answers"],
        }


def main() -> int:
    asking, libraries = question(), []
    for library in PINS:
        print(library, flush=True)
        libraries.append(tried(library, asking))
    records.write(FILE, names=NAMES, libraries=libraries)
    return 0


if __name__ == "__main__":
    sys.exit(main())
