"""The steps of ``make test``: each runs, and says how it ended."""

import sys
from pathlib import Path

import pytest

from fsdl_course.setup import validation
from fsdl_course.setup.validation import BROWSERS, STEPS, validate
from fsdl_deploy.paths import ROOT


class Core:
    python, folder = Path(sys.executable), Path(sys.prefix)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """The pages of this very run stay."""
    monkeypatch.setattr(validation, "EXECUTED", tmp_path / "course")


def test_a_failed_step_stops_no_other_and_fails_the_whole(capfd):
    steps = [("one", ["timeit", "-n1", "0"]), ("two", ["no_such_module"]), ("three", ["timeit", "-n1", "0"])]
    assert not validate(Core, steps=steps)
    summary = capfd.readouterr().out.splitlines()[-3:]
    assert [line.split()[0] for line in summary] == ["ok", "FAILED", "ok"]
    assert validate(Core, steps=steps[::2])


def test_words_are_for_pytest_and_a_part_may_have_nothing_of_a_step(tmp_path):
    (tmp_path / "test_file.py").write_text("def test_one(): pass\ndef test_two(): raise AssertionError\n")
    steps = [("one", ["pytest", str(tmp_path), "-q", "-p", "no:cacheprovider"]), ("two", ["this"])]
    assert validate(Core, ["-m", "engine"], steps) and validate(Core, ["-k", "another"], steps)
    assert validate(Core, ["-k", "one"], steps) and not validate(Core, ["-k", "two"], steps)


def test_the_files_with_a_browser_are_there():
    steps = [words for _, words in STEPS if words[0] == "pytest"]
    assert all((ROOT / file).is_file() and file in steps[0] and file in steps[1] for file in BROWSERS)
