"""The commands `edge build` and `edge compare`: what they print, and their exit status."""

import json

import pytest
from fake_target import TOML, building_of, repository

from fsdl_deploy.cli import main
from fsdl_deploy.targets import catalogue, comparing, record


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A repository with one target, in place of the course's."""
    repository(tmp_path)
    targets, target, ask, write = catalogue.targets, catalogue.target, comparing.compare, record.write
    monkeypatch.setattr(catalogue, "targets", lambda: targets(tmp_path))
    monkeypatch.setattr(catalogue, "target", lambda name: target(name, tmp_path))
    monkeypatch.setattr(comparing, "compare", lambda *words: ask(*words, turns=1, root=tmp_path))
    monkeypatch.setattr(record, "write", lambda rows: write(rows, tmp_path))
    return tmp_path


def test_check_builds_nothing_and_says_what_is_outdated(root, capsys):
    assert main(["edge", "build", "--check"]) == 1
    assert capsys.readouterr().out == "fake: never built\n" and not (root / "models").exists()
    assert main(["edge", "build"]) == 0
    assert "fake: built, 0 kB" in capsys.readouterr().out
    assert main(["edge", "build", "--check"]) == 0
    assert capsys.readouterr().out == "fake: up to date\n"


def test_only_what_is_outdated_or_named_is_built(root, capsys):
    main(["edge", "build"])
    capsys.readouterr()
    assert main(["edge", "build"]) == 0 and capsys.readouterr().out == "fake: up to date\n"
    assert main(["edge", "build", "fake"]) == 0 and "fake: built" in capsys.readouterr().out


def test_a_build_that_fails_is_status_1(root, capsys):
    (root / "infra/edge/fake/build.py").write_text("raise SystemExit('no')")
    assert main(["edge", "build"]) == 1
    assert "ended with status 1" in capsys.readouterr().err


def test_compare_prints_a_table_and_records(root, capsys):
    main(["edge", "build"])
    capsys.readouterr()
    assert main(["edge", "compare", "fake", "--cards", "5", "--rounds", "1", "--record"]) == 0
    assert "float32" in capsys.readouterr().out
    assert record.read(root)["fake"]["rows"][0]["same"] == 5


def test_compare_builds_what_is_not_kept_and_warns_of_what_is_outdated(root, capsys):
    words = ["edge", "compare", "fake", "--cards", "3", "--rounds", "1"]
    (root / "infra/edge/fake/target.toml").write_text("kept = false\n" + TOML)
    assert main(words) == 0 and (root / "build/edge/fake/fake.json").exists()
    assert capsys.readouterr().err == ""
    (root / "infra/edge/fake/target.toml").write_text(TOML)
    main(["edge", "build"])
    (root / "fsdl_deploy/ctc.py").write_text("# another decoder")
    assert main(words) == 0
    assert "its sources have changed" in capsys.readouterr().err


def test_compare_refuses_a_float32_that_reads_otherwise(root, capsys):
    (root / "infra/edge/fake/build.py").write_text(building_of(wrong=[2]))
    main(["edge", "build"])
    capsys.readouterr()
    assert main(["edge", "compare", "--cards", "5", "--rounds", "1", "--json"]) == 1
    output = capsys.readouterr()
    assert json.loads(output.out)[0]["same"] == 4
    assert "1 of 5 cards are read otherwise" in output.err


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--cards", "0"], "at least 1"),
        (["--rounds", "0"], "at least 1"),
        (["--seed", "-1"], "from 0 up"),
        (["--record", "--precision", "float32"], "leave --precision out"),
    ],
)
def test_bad_arguments_are_a_sentence(root, capsys, words, problem):
    assert main(["edge", "compare", "fake", *words]) == 1
    assert problem in capsys.readouterr().err


def test_an_unknown_target_is_a_sentence(capsys):
    assert main(["edge", "build", "nowhere"]) == 1
    assert "there is no target 'nowhere'" in capsys.readouterr().err
