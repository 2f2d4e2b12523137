"""A pipeline of models as one versioned unit: reader, cascade, plausibility, with a manifest of what fits

Each part says in the manifest what it takes and what it gives. The threshold of a cascade is meant for the
confidence of one version of the reader, so the cascade takes *that* confidence: another reader alone, with
the other parts as they were, is refused when the pipeline is loaded, before any customer meets it.
"""

import json
import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from fsdl_deploy import weights
from fsdl_deploy.delivery import releases
from fsdl_deploy.delivery.released_reader import ReleasedReader
from fsdl_deploy.optimization.cascade import SURE, CascadeReader
from fsdl_deploy.picture import Image
from fsdl_deploy.reading import Reader, Reading
from fsdl_deploy.rollouts import meters
from fsdl_deploy.rollouts.meters import Meter

SCALES: dict[str, Callable[[float], float]] = {
    "probability": lambda confidence: confidence,
    "percent": lambda confidence: 100 * confidence,
    "logarithm": lambda confidence: math.log(max(confidence, 1e-12)),
}
"""In which scale a reader reports its confidence: teams change it, and each is sensible by itself."""
COMES_IN = {"picture": "grey picture, uint8 [H, W]", "meter": "digits of its register, last reading"}
DIGITS = "text of digits"


class PipelineError(RuntimeError):
    """A pipeline cannot be loaded; the message names the parts that do not fit."""


@dataclass(frozen=True)
class PipelinePart:
    """One part: its version, its files, and what it takes and gives, by name, in words that must be equal."""

    name: str
    version: str
    files: tuple[str, ...]
    takes: dict[str, str]
    gives: dict[str, str]


@dataclass(frozen=True)
class PipelineAnswer:
    """What the pipeline says of a card: the digits, and why a person should look at them ("" if not)."""

    digits: str
    problem: str


class ScaledReader:
    """A Reader that reports its confidence in one of SCALES."""

    def __init__(self, reader: Reader, scale: str):
        self.reader, self.scale, self.model_version = reader, SCALES[scale], reader.model_version

    def read(self, images: Sequence[Image]) -> list[Reading]:
        """As the Reader; confidence in the scale."""
        return [
            replace(reading, confidence=self.scale(reading.confidence))
            for reading in self.reader.read(images)
        ]


class ModelPipeline:
    """Picture and meter in, digits and doubts out. ``cascade.share``: of the cards, read a second time."""

    def __init__(self, cascade: CascadeReader, most: float, version: str):
        self.cascade, self.most, self.version = cascade, most, version

    def read(self, images: Sequence[Image], meters: Sequence[Meter]) -> list[PipelineAnswer]:
        """One answer for each picture, in order."""
        readings = self.cascade.read(images)
        return [
            PipelineAnswer(reading.digits, meter.problem(reading.digits, self.most))
            for reading, meter in zip(readings, meters, strict=True)
        ]


def build(
    folder: Path,
    key: bytes,
    version: str,
    reader: str = "v2",
    scale: str = "probability",
    sure: float = SURE,
    second: str = "teacher",
    most: float = meters.ALL,
) -> None:
    """Write a pipeline: models of ``models/``, settings, manifest, seal. ``sure``: in the scale given."""
    if scale not in SCALES:
        raise ValueError(f"there is no scale {scale!r} of confidences: they are {', '.join(SCALES)}")
    folder.mkdir(parents=True)
    for part, model in (("reader", reader), ("second", second)):
        (folder / f"{part}.onnx").write_bytes(weights.verified(f"{model}.onnx"))
    for part, settings in (
        ("reader", {"scale": scale}),
        ("cascade", {"sure": sure}),
        ("plausibility", {"most": most}),
    ):
        (folder / f"{part}.json").write_text(json.dumps(settings), encoding="utf-8")
    confidence = f"{scale}, by reader {reader}"
    first = {"digits": DIGITS, "confidence": confidence}
    again = {"picture": COMES_IN["picture"]}
    parts = [
        PipelinePart("reader", reader, ("reader.onnx", "reader.json"), again, first),
        PipelinePart("second", second, ("second.onnx",), again, {"second digits": DIGITS}),
        PipelinePart(
            "cascade", f"{sure:g}", ("cascade.json",), first | {"second digits": DIGITS}, {"digits": DIGITS}
        ),
        PipelinePart(
            "plausibility",
            f"{most:g}",
            ("plausibility.json",),
            {"digits": DIGITS, "meter": COMES_IN["meter"]},
            {"doubt": "text, or none"},
        ),
    ]
    releases.seal(folder, key, name=folder.name, version=version, parts=[asdict(part) for part in parts])


def parts(folder: Path, key: bytes) -> list[PipelinePart]:
    """The parts of a pipeline in their order, once its seal and all sums are right. Raises ReleaseError."""
    manifest = releases.checked(folder, key)
    try:
        return [PipelinePart(**part | {"files": tuple(part["files"])}) for part in manifest["parts"]]
    except (KeyError, TypeError):
        raise PipelineError(
            f"{folder.name} is sealed, but no pipeline: its manifest names no parts"
        ) from None


def misfits(listed: Sequence[PipelinePart]) -> list[str]:
    """A sentence for each thing that a part takes and does not get as it takes it."""
    there, sentences = dict(COMES_IN), []
    for part in listed:
        for name, kind in part.takes.items():
            if (given := there.get(name)) != kind:
                gets = f"gets {given}" if given else "gets none"
                sentences.append(f"{part.name} {part.version} takes {name} as {kind}, and {gets}")
        there |= part.gives
    return sentences


def swap(folder: Path, part: str, other: Path, into: Path, key: bytes) -> None:
    """Copy the pipeline in ``folder`` to ``into``, with one part as it is in ``other``, and seal it.

    So one part is rolled back alone: its files are whole and sealed. Whether they fit, says ``load``.
    """
    here, there = ({listed.name: listed for listed in parts(each, key)} for each in (folder, other))
    if part not in here or part not in there:
        raise ValueError(f"there is no part {part!r}: they are {', '.join(here)}")
    shutil.copytree(folder, into)
    for name in there[part].files:
        shutil.copy(other / name, into / name)
    listed = [asdict(there[name] if name == part else here[name]) for name in here]
    version = f"{releases.checked(folder, key)['version']} with {part} {there[part].version}"
    releases.seal(into, key, name=into.name, version=version, parts=listed)


def load(folder: Path, key: bytes, trusting: bool = False) -> ModelPipeline:
    """The pipeline in ``folder``: seal, sums, and that each part gets what it takes.

    ``trusting``: load it though its parts do not fit, to see what comes of it. Raises PipelineError,
    ReleaseError.
    """
    if (wrong := misfits(parts(folder, key))) and not trusting:
        raise PipelineError(f"{folder.name} does not fit together: {'; '.join(wrong)}")
    manifest = releases.checked(folder, key)
    settings = {
        name: json.loads(releases.content(folder, f"{name}.json", manifest))
        for name in ("reader", "cascade", "plausibility")
    }
    first, second = (ReleasedReader(folder, key, f"{name}.onnx") for name in ("reader", "second"))
    reader = ScaledReader(first, settings["reader"]["scale"])
    cascade = CascadeReader(reader, second, settings["cascade"]["sure"])
    return ModelPipeline(cascade, settings["plausibility"]["most"], manifest["version"])
