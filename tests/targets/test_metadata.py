"""Metadata of ML Kit's kind: without them MediaPipe refuses the file, with them it reads digits."""

import zipfile

import pytest

from fsdl_course.setup.stations import ensure
from fsdl_deploy.targets import building, catalogue
from fsdl_deploy.targets.programs import ask
from fsdl_deploy.targets.single_digits import single_digits


@pytest.fixture(scope="module")
def target():
    ensure("ml_kit")
    return catalogue.target("ml_kit")


def test_the_library_reads_by_what_the_file_says(target, tmp_path):
    bare, described = building.artifact(target, target.variant("int8-weights")), tmp_path / "digit.tflite"
    pictures, truths = single_digits(40, seed=21)
    assert "NormalizationOptions" in ask(target, "classify.py", list(pictures), bare)["refused"]
    ask(target, "metadata.py", (), bare, described)
    assert zipfile.ZipFile(described).read("labels.txt").decode().split() == [*"0123456789"]
    labels = ask(target, "classify.py", list(pictures), described)["labels"]
    assert sum(a == b for a, b in zip(labels, truths, strict=True)) >= 37
    ask(target, "metadata.py", (), bare, described, "--labels", "9876543210")
    swapped = ask(target, "classify.py", list(pictures), described)["labels"]
    assert [str(9 - int(label)) for label in swapped] == labels
