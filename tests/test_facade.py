"""``from fsdl_deploy import …`` has what lessons and labs import from there, and nothing else."""

import re

import pytest

import fsdl_deploy
from fsdl_deploy.paths import ROOT

LESSONS = [*(ROOT / "notebooks" / "source").rglob("*.py"), *(ROOT / "solutions").rglob("*.py")]


def imported(module: str) -> set[str]:
    """What lessons, labs and their scripts import from ``module``."""
    pattern = re.compile(rf"^ *from {re.escape(module)} import (.+)$", re.MULTILINE)
    lines = [line for file in LESSONS for line in pattern.findall(file.read_text(encoding="utf-8"))]
    return {name.strip() for line in lines for name in line.split(",")}


def test_every_name_is_used():
    assert set(fsdl_deploy.__all__) <= imported("fsdl_deploy")


@pytest.mark.parametrize("name", fsdl_deploy.__all__)
def test_lessons_import_a_name_from_there_only(name):
    assert name not in imported(getattr(fsdl_deploy, name).__module__)
