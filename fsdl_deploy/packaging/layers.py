"""Docker layers: an image is built step by step, and a step whose layer is there already is kept."""

import re
import time
from dataclasses import dataclass
from pathlib import Path

from fsdl_deploy.packaging.base_images import usable
from fsdl_deploy.packaging.engine import ContainerError
from fsdl_deploy.paths import ROOT

STEP = re.compile(r"Step \d+/\d+ : (.*)")
CHANGES = {
    "nothing": None,
    "code": "fsdl_deploy/service/app.py",
    "requirements": "infra/docker/requirements.lock",
}


@dataclass(frozen=True)
class Step:
    """One instruction of a Dockerfile as it was built: its text, seconds, and whether its layer was there."""

    instruction: str
    seconds: float
    cached: bool


def build(
    client, tag: str, context: Path = ROOT, dockerfile: str = "infra/docker/Dockerfile", nocache: bool = False
) -> list[Step]:
    """Build an image and name it ``tag``; return its steps. ContainerError has the end of a failed build.

    The Dockerfile's ``ARG BASE`` is the base that it pins, or the stand-in for that. ``nocache``: make every
    layer again.
    """
    steps, output, began = [], [], time.monotonic()
    options = {"dockerfile": dockerfile, "tag": tag, "buildargs": {"BASE": usable(client, "base")}}
    options["nocache"] = nocache
    log = client.api.build(path=str(context), rm=True, forcerm=True, decode=True, **options)
    instruction, cached = "", False

    def finish() -> None:
        if instruction:
            steps.append(Step(instruction, time.monotonic() - began, cached))

    for line in log:
        text = line.get("stream", "")
        output.append(line.get("error", text))
        if "error" in line:
            raise ContainerError(f"the image {tag} was not built: {''.join(output)[-2000:]}")
        if step := STEP.match(text):
            finish()
            instruction, cached, began = step[1].strip(), False, time.monotonic()
        cached = cached or "Using cache" in text
    finish()
    return steps


def rebuilds(client, context: Path) -> dict[str, list[Step]]:
    """Build the reader's image in ``context``, then again after each of CHANGES: what changed -> the steps.

    The images are called ``meter-reader:after-NAME``; each contains the changes before it.
    """
    build(client, "meter-reader:before", context)
    builds = {}
    for name, file in CHANGES.items():
        if file:
            with (context / file).open("a", encoding="utf-8") as changed:
                changed.write(f"# changed at {time.time()}\n")  # else the engine may know it from last time
        builds[name] = build(client, f"meter-reader:after-{name}", context)
    client.images.remove("meter-reader:before")
    return builds


def layer_sizes(client, tag: str) -> list[tuple[float, str]]:
    """(MB, the instruction that made it) of each layer of an image, the lowest first."""
    history = client.images.get(tag).history()
    return [(layer["Size"] / 1e6, layer["CreatedBy"]) for layer in reversed(history)]
