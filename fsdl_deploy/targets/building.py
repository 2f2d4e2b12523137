"""Building a target's artifacts, with their sums and a hash of what they are made from

``models/edge/NAME/built.json`` has both, so that an artifact is made anew only where its sources changed, and
a damaged file is never read. Bytes may differ from one build to the next; readings may not.
"""

import hashlib
import json
import shutil
import tempfile
import time
from pathlib import Path

from fsdl_deploy import weights
from fsdl_deploy.cards import cards
from fsdl_deploy.measuring import records
from fsdl_deploy.running.stations import stations
from fsdl_deploy.targets import card_files, programs
from fsdl_deploy.targets.catalogue import PROBING, PrecisionVariant, Target, TargetError

BUILT = "built.json"
CALIBRATION = 128  # cards of training digits that show an int8 quantizer the ranges
SECONDS = 1800.0  # that a build may take
_MODEL = ("models.py", "ctc.py", "preprocess.py", "targets/modules.py")  # what the converted graph is made of
ASKING = ("read.py", *PROBING)  # programs that use what is built, or build nothing that is kept


def sources(target: Target) -> str:
    """A sha256 over all that the artifacts are made from: weights, the model's modules, ``build.py``, lock.

    Text counts without the ends of its lines. ``read.py`` and ``target.toml`` change no artifact.
    """
    files = [target.root / "fsdl_deploy" / name for name in _MODEL]
    files += sorted(path for path in target.folder.glob("*.py") if path.name not in ASKING)
    files += [path for path in (target.folder / "package-lock.json",) if path.is_file()]
    files += [target.root / name for name in target.sources]
    if name := target.build_station or target.station:
        files += [stations(target.root)[name].lock]
    digest = hashlib.sha256()
    for name in ("v2.safetensors", "v2.onnx"):
        digest.update(name.encode() + hashlib.sha256(weights.verified(name)).digest())
    for path in files:
        try:
            text = path.read_bytes().replace(b"\r\n", b"\n")
        except OSError as error:
            raise TargetError(f"{path} cannot be read ({error.strerror}): {target.name} needs it") from None
        digest.update(path.relative_to(target.root).as_posix().encode() + hashlib.sha256(text).digest())
    return digest.hexdigest()


def outdated(target: Target) -> str:
    """Why the artifacts should be built anew, in a few words; "" where nothing says so."""
    file = target.artifacts / BUILT
    if not file.is_file():
        return "never built"
    built = _record(file)
    missing = {name for variant in target.variants.values() for name in variant.files} - {*built["files"]}
    if missing:
        return f"not built: {', '.join(sorted(missing))}"
    for name, value in built["files"].items():
        if not (target.artifacts / name).is_file():
            return f"{name} is missing"
        if sha256(target.artifacts / name) != value:
            return f"{name} is not what was built"
    return "" if built["sources"] == sources(target) else "its sources have changed"


def build(target: Target, into: Path | None = None, seconds: float = SECONDS) -> Path:
    """Run ``build.py``, and keep what it made once it is whole; the folder with the artifacts.

    ``into``: a folder to build into instead of the target's own, for a trial. Raises TargetError with the
    last lines of a build that failed, ended late, or lacks a file.
    """
    folder = into or target.artifacts
    begin, made_from = time.perf_counter(), sources(target)
    with tempfile.TemporaryDirectory(prefix="edge-") as temporary:
        out = Path(temporary) / "out"
        out.mkdir()
        deck = Path(temporary) / "calibration.npz"
        images = (card.image for card in cards(CALIBRATION, "typical", "train", seed=3))
        card_files.write_cards(deck, list(images))
        command = [target.python(building=True), target.folder / "build.py", out]
        programs.run(command, target, seconds, {card_files.CALIBRATION: str(deck)})
        names = sorted(path.name for path in out.iterdir() if path.is_file())
        expected = {name for variant in target.variants.values() for name in variant.files}
        if lacking := sorted(expected - {*names}):
            raise TargetError(f"build.py of {target.name} ended well, but made no {', '.join(lacking)}")
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / BUILT).is_file():
            for name in _record(folder / BUILT)["files"]:
                (folder / Path(name).name).unlink(missing_ok=True)
        for name in sorted(expected):
            shutil.move(out / name, folder / name)
    sums = {name: sha256(folder / name) for name in sorted(expected)}
    took = round(time.perf_counter() - begin, 1)
    records.write(folder / BUILT, seconds=took, sources=made_from, files=sums)
    return folder


def artifact(target: Target, variant: PrecisionVariant, folder: Path | None = None) -> Path:
    """The first file of a variant, once all its files have the sums of their build.

    Raises TargetError where there is none, or a file has changed since.
    """
    folder = folder or target.artifacts
    again = f"run `fsdl-deploy edge build {target.name}`"
    if not (folder / BUILT).is_file():
        raise TargetError(f"{target.name} is not built: {again}")
    sums = _record(folder / BUILT)["files"]
    for name in variant.files:
        if name not in sums or not (folder / name).is_file():
            raise TargetError(f"{target.name} has no file {name} in {folder}: {again}")
        if sha256(folder / name) != sums[name]:
            raise TargetError(f"{folder / name} is not what was built, so it is not used: {again}")
    return folder / variant.files[0]


def sha256(file: Path) -> str:
    """The sum of a file, as ``sha256sum`` writes it."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _record(file: Path) -> dict:
    try:
        record = records.read(file)
        if isinstance(record["sources"], str) and isinstance(record["files"], dict):
            return record
    except (json.JSONDecodeError, KeyError, TypeError, UnicodeDecodeError):
        pass
    raise TargetError(f"{file} is damaged: remove it and build again, or restore it from git")
