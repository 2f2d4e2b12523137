"""The images of Cog, BentoML and Truss: built from what their stations pack, run, compared with the reader.

python infra/docker/tool_images.py        (an engine that reaches package indexes; two minutes)

writes ``tool_images.json``, which the three notebooks show. Needs no hub, but for Python's image: where the
engine has a stand-in of that, it is taken. Truss differs from the rest: its own base image is its maker's, so
it stands on Python's here, with ``uv`` added, whose installer its Dockerfile would fetch from a third place.
"""

import base64
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from fsdl_deploy.cards import cards
from fsdl_deploy.measuring import records
from fsdl_deploy.packaging.build_context import DOCKER, tool_context
from fsdl_deploy.packaging.containers import SAFELY, Container
from fsdl_deploy.packaging.engine import find_engine
from fsdl_deploy.packaging.layers import build, layer_sizes
from fsdl_deploy.picture import decode, encode
from fsdl_deploy.reader import OnnxReader
from fsdl_deploy.running import stations
from fsdl_deploy.running.no_reports import truss_settings

FILE = DOCKER / "tool_images.json"
PYTHON, WITH_UV = "python:3.11-slim", "python-with-uv:tools"
CARDS = 20
WEB = httpx2.Client(trust_env=False, timeout=30)


def run(*command, cwd: Path | None = None, **environ: str) -> None:
    subprocess.run(command, cwd=cwd, env=os.environ | environ, check=True, stdout=subprocess.DEVNULL)


def cog_context(folder: Path) -> Path:
    """What the notebook calls the packed folder: with the Dockerfile that stands in for `cog build`."""
    return tool_context("cog", folder / "packed")


def bentoml_context(folder: Path) -> Path:
    """The bento, which is the context of `bentoml containerize` too."""
    packed = tool_context("bentoml", folder / "packed")
    settings = {"BENTOML_HOME": str(folder / "store"), "BENTOML_DO_NOT_TRACK": "True"}
    run(stations.python("bentoml"), "-m", "bentoml", "build", "--version", "v2", cwd=packed, **settings)
    return folder / "store" / "bentos" / "meter-reader" / "v2"


def truss_context(folder: Path) -> Path:
    """What `truss image build-context` writes, on a base image that is not the maker's."""
    packed = tool_context("truss", folder / "packed")
    with (packed / "config.yaml").open("a", encoding="utf-8") as config:
        config.write(f"base_image:\n  image: {WITH_UV}\n")
    program = stations.python("truss").with_name("truss")
    words = ["--non-interactive", "image", "build-context", folder / "context", packed]
    run(program, *words, **truss_settings(folder))
    return folder / "context"


def ask_cog(url: str, picture: bytes, threshold: float) -> httpx2.Response:
    uri = "data:image/png;base64," + base64.b64encode(picture).decode()
    question = {"input": {"picture": uri, "threshold": threshold}}
    # 409: the worker is not free yet from the request before.
    while (answer := WEB.post(url + "/predictions", json=question)).status_code == 409:
        pass
    return answer


def ask_bentoml(url: str, picture: bytes, threshold: float) -> httpx2.Response:
    return WEB.post(url + "/read", files={"picture": picture}, data={"threshold": threshold})


def ask_truss(url: str, picture: bytes, threshold: float) -> httpx2.Response:
    question = {"picture": base64.b64encode(picture).decode(), "threshold": threshold}
    return WEB.post(url + "/v1/models/model:predict", json=question)


@dataclass(frozen=True)
class Tool:
    """How one tool's image is made and asked. ``more``: what its container needs beside SAFELY."""

    context: Callable[[Path], Path]
    dockerfile: str
    port: int
    ready: str | Callable[[str], bool]
    ask: Callable[[str, bytes, float], httpx2.Response]
    more: dict = field(default_factory=dict)


TOOLS = {
    "cog": Tool(
        cog_context, "Dockerfile", 5000,
        # It answers 200 before the model is loaded, too.
        lambda url: WEB.get(url + "/health-check").json()["status"] == "READY", ask_cog,
    ),
    "bentoml": Tool(
        bentoml_context, "env/docker/Dockerfile", 3000, "/readyz", ask_bentoml,
        # Its store would be in the home folder, which cannot be written.
        {"environment": {"BENTOML_HOME": "/tmp/bentoml", "BENTOML_DO_NOT_TRACK": "True"}},
    ),
    "truss": Tool(
        truss_context, "Dockerfile", 8080, "/v1/models/model", ask_truss,
        # It would run as root, and makes a folder beside its code.
        {"user": "app", "environment": {"HOME": "/tmp"}, "tmpfs": {"/app/data": "size=1m"}},
    ),
}  # fmt: skip


def layers(engine, tag: str, base: str) -> list[tuple[float, str]]:
    """(MB, what made it) of each layer above ``base`` that weighs something, the lowest first."""
    above = layer_sizes(engine, tag)[len(layer_sizes(engine, base)) :]
    return [(round(size, 1), short(made_by)) for size, made_by in above if round(size, 1)]


def short(made_by: str) -> str:
    """The ends of an instruction: they say which program it is, and on which file."""
    words = made_by.rpartition("/bin/sh -c ")[2].removeprefix("#(nop) ").split()
    text = re.sub(r"(dir|file):\w+", r"\1", " ".join(words))
    return text if len(text) <= 85 else f"{text[:40].strip()} … {text[-42:].strip()}"


def try_container(engine, tag: str, tool: Tool) -> dict:
    """Run it safely, ask about CARDS cards and for a threshold of 7: seconds, MiB, equal digits, refusal."""
    options = SAFELY | tool.more
    options["tmpfs"] = SAFELY["tmpfs"] | tool.more.get("tmpfs", {})
    pictures = [encode(card.image) for card in cards(CARDS, seed=4)]
    expected = [reading.digits for reading in OnnxReader().read([decode(picture) for picture in pictures])]
    with Container(engine, tag, tool.ready, tool.port, **options) as service:
        answers = [tool.ask(service.url, picture, 0.5).raise_for_status().json() for picture in pictures]
        return {
            "start seconds": round(service.start_seconds, 1),
            "MiB": round(service.container.stats(stream=False)["memory_stats"]["usage"] / 2**20, 1),
            "user": service.container.exec_run(["id", "-un"]).output.decode().strip(),
            "equal": sum(a.get("output", a)["digits"] == b for a, b in zip(answers, expected, strict=True)),
            "threshold 7": tool.ask(service.url, pictures[0], 7).status_code,
        }


def measure(engine, name: str) -> dict:
    """Build the image of one tool from nothing and try its container; nothing stays behind.

    ContainerError holds the end of a build that failed, such as one that reaches no package index.
    """
    tool, tag, base = TOOLS[name], f"meter-reader-{name}:tools", PYTHON
    try:
        with tempfile.TemporaryDirectory() as folder:
            if name == "truss":
                base = WITH_UV
                (Path(folder) / "Dockerfile").write_text(
                    f"FROM {PYTHON}\nRUN pip install --no-cache-dir uv\n"
                )
                build(engine, WITH_UV, Path(folder), "Dockerfile")
            context = tool.context(Path(folder))
            began = time.monotonic()
            build(engine, tag, context, tool.dockerfile, nocache=True)
            built = {"build seconds": round(time.monotonic() - began, 1)}
        built["MB"] = round(engine.images.get(tag).attrs["Size"] / 1e6, 1)
        on = engine.images.get(base)
        origin = f"a stand-in for {PYTHON}" if "stand-in" in on.labels else PYTHON
        about = {"base": origin + (" with uv" if base == WITH_UV else "")}
        about["base MB"] = round(on.attrs["Size"] / 1e6, 1)
        more = {"layers": layers(engine, tag, base), "beside the safe options": tool.more}
        return built | about | more | try_container(engine, tag, tool)
    finally:
        for image in engine.images.list():
            for leftover in {tag, WITH_UV} & set(image.tags):
                engine.images.remove(leftover, force=True)


def main() -> int:
    engine = find_engine()
    if engine is None:
        return 1
    version = engine.version()
    described = f"{version['Version']}, {version['Os']}/{version['Arch']}"
    images = {name: measure(engine, name) for name in TOOLS}
    records.write(FILE, engine=described, cards=CARDS, images=images)
    return 0


if __name__ == "__main__":
    sys.exit(main())
