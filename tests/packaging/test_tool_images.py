"""The images of Cog, BentoML and Truss: built and run where an engine answers; their record."""

import json
import sys

import pytest

from fsdl_deploy.packaging import tools
from fsdl_deploy.packaging.build_context import DOCKER

sys.path.insert(0, str(DOCKER))
import tool_images

RECORD = json.loads(tool_images.FILE.read_text(encoding="utf-8"))


def holds(measured: dict) -> None:
    """An image that is what its layers say, and a container that reads as the reader does and is not root."""
    assert measured["equal"] == tool_images.CARDS and measured["threshold 7"] in (400, 422)
    assert measured["user"] != "root"
    layers = sum(size for size, _ in measured["layers"])
    assert measured["base MB"] + layers == pytest.approx(measured["MB"], abs=1)


@pytest.mark.parametrize("tool", tool_images.TOOLS)
def test_the_record_says_where_it_was_made_and_the_notebook_shows_it(tool):
    holds(RECORD["images"][tool])
    text = tools.recorded_image(tool)
    for word in (RECORD["date"], RECORD["machine"], RECORD["engine"], "20 of 20 cards"):
        assert word in text


def test_a_long_instruction_keeps_what_it_runs_and_on_which_file():
    long = "|1 A=b /bin/sh -c UV_TIMEOUT=300   uv pip install --system " + "--option " * 9 + "-r these.txt"
    text = tool_images.short(long)
    assert len(text) <= 85 and text.startswith("UV_TIMEOUT=300 uv pip install") and text.endswith("these.txt")
    assert tool_images.short("/bin/sh -c #(nop) COPY dir:0123abc in /app ") == "COPY dir in /app"


@pytest.mark.thorough
@pytest.mark.timeout(600)
@pytest.mark.parametrize("tool", tool_images.TOOLS)
def test_the_image_is_built_and_its_container_is_the_reader(engine, tool):
    measured = tool_images.measure(engine, tool)
    holds(measured)
    # What a package index holds moves; what the notebook says of the sizes still has to be true.
    added, recorded = (image["MB"] - image["base MB"] for image in (measured, RECORD["images"][tool]))
    assert added == pytest.approx(recorded, rel=0.3)
    # Not `images.list()`: it asks for each image again, and another test may have removed one meanwhile.
    tags = [tag for image in engine.api.images() for tag in image["RepoTags"] or ()]
    assert tags and not [tag for tag in tags if tag.endswith(":tools")]
