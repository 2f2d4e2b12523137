"""A target in a temporary repository: its artifact says how it misbehaves"""

import json
import shutil
from pathlib import Path

from fsdl_deploy.paths import ROOT
from fsdl_deploy.targets import catalogue

TOML = """
title = "A fake"
form = "whole"
width = "any"
status = "runs"
licence = "MIT"
state = "2026-11-29: it works"
source = "https://example.org"

[variants.float32]
files = ["fake.json"]
"""
BUILD = """
import pathlib, sys
pathlib.Path(sys.argv[1], "fake.json").write_text("{}")
"""
READ = """
import json, pathlib, sys
from fsdl_deploy.reader import OnnxReader
from fsdl_deploy.targets import reading_program

def open_artifact(artifact):
    settings = json.loads(artifact.read_text())
    if settings.get("crash"):
        raise MemoryError("the model does not fit")
    if text := settings.get("write"):
        pathlib.Path(sys.argv[3]).write_text(text)
        sys.exit()
    read, asked = reading_program.whole(OnnxReader("v2").run), []

    def spoiling(image):
        asked.append(image)
        digits, confidence = read(image)
        return ("9999" if len(asked) - 2 in settings.get("wrong", ()) else digits), confidence

    return spoiling

if __name__ == "__main__":
    reading_program.main("A fake.", open_artifact, ("onnxruntime",))
"""


def repository(root: Path, toml: str = TOML, read: str = READ, build: str = BUILD) -> catalogue.Target:
    """A repository under ``root`` with the target "fake"."""
    for name in ("models.py", "ctc.py", "preprocess.py", "targets/modules.py"):
        (root / "fsdl_deploy" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / "fsdl_deploy" / name, root / "fsdl_deploy" / name)
    folder = root / "infra" / "edge" / "fake"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("target.toml", toml), ("read.py", read), ("build.py", build)):
        (folder / name).write_text(text, encoding="utf-8")
    return catalogue.target("fake", root)


def building_of(**settings) -> str:
    """A ``build.py`` whose artifact has these settings."""
    return BUILD.replace('"{}"', repr(json.dumps(settings)))
