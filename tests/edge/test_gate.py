"""The gate, in real repositories: what fits comes in, what breaks the budget does not, wherever it is."""

import shutil
import subprocess

import onnx
import pytest

from fsdl_deploy import cli, weights
from fsdl_deploy.edge import budget, gate

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@pytest.fixture
def clone(tmp_path):
    central, here = tmp_path / "central.git", tmp_path / "clone"
    git("init", "-q", "--bare", "-b", "main", central)
    gate.install(central)
    git("clone", "-q", central, here)
    git("checkout", "-q", "-b", "main", at=here)
    return here


def git(*words, at=None, check=True):
    own = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    where = ["-C", str(at)] if at else []
    result = subprocess.run(["git", *own, *where, *map(str, words)], capture_output=True, text=True)
    assert not check or result.returncode == 0, result.stderr
    return result


def larger(version):
    """The same model with five per cent more of bytes, which no reader needs."""
    graph = onnx.load_from_string(weights.verified(f"{version}.onnx"))
    graph.metadata_props.add(key="notes", value="x" * 30_000)
    return graph.SerializeToString()


def commit(clone, version=None, text=None, subject="a change"):
    if version:
        graph = version if isinstance(version, bytes) else weights.verified(f"{version}.onnx")
        (clone / gate.MODEL).write_bytes(graph)
    if text is not None:
        (clone / gate.BUDGET).write_text(text, encoding="utf-8")
    git("add", "-A", at=clone)
    git("commit", "-q", "--allow-empty", "-m", subject, at=clone)


def push(clone, ref="main"):
    return git("push", "origin", ref, at=clone, check=False)


TEXT = budget.FILE.read_text(encoding="utf-8")


def test_a_push_that_breaks_the_budget_is_refused_and_changes_nothing(clone):
    commit(clone, "v2", TEXT)
    assert push(clone).returncode == 0
    before = git("rev-parse", "origin/main", at=clone).stdout
    commit(clone, "teacher", subject="a better model")
    refused = push(clone)
    assert refused.returncode != 0 and "a better model: bytes:" in refused.stderr
    git("fetch", "-q", at=clone)
    assert git("rev-parse", "origin/main", at=clone).stdout == before


def test_a_bad_commit_does_not_slip_in_below_a_good_one(clone):
    commit(clone, "v2", TEXT)
    commit(clone, "teacher", subject="hidden")
    commit(clone, "v2", subject="taken back")
    refused = push(clone)
    assert refused.returncode != 0 and "hidden" in refused.stderr


def test_growth_within_the_budget_needs_a_word_in_the_budget(clone):
    commit(clone, "v2", TEXT)
    assert push(clone).returncode == 0
    commit(clone, larger("v2"), subject="larger")
    refused = push(clone)
    assert refused.returncode != 0 and "more than before" in refused.stderr
    git("reset", "-q", "--hard", "origin/main", at=clone)
    commit(clone, larger("v2"), TEXT + "\n# 5 % more of bytes, for the notes within.\n", subject="larger")
    assert push(clone).returncode == 0


def merged_from_two_sides(clone, tight):
    """The model of one side with the budget of the other, each of which is in order where it is."""
    commit(clone, "v2", tight)
    git("checkout", "-q", "-b", "side", at=clone)
    commit(clone, larger("v2"), TEXT, subject="more room")
    git("checkout", "-q", "main", at=clone)
    commit(clone, subject="words")
    git("merge", "-q", "--no-commit", "--no-ff", "side", at=clone)
    commit(clone, text=tight, subject="the merge")


@pytest.mark.parametrize("room", [1000, 100_000], ids=["over the budget", "over the growth"])
def test_a_merge_that_takes_the_model_and_not_its_budget_is_refused(clone, room):
    tight = TEXT.replace("bytes = 600_000", f"bytes = {len(weights.verified('v2.onnx')) + room}", 1)
    assert tight != TEXT
    merged_from_two_sides(clone, tight)
    refused = push(clone)
    assert refused.returncode != 0 and "the merge: bytes:" in refused.stderr
    git("reset", "-q", "--hard", "main~1", at=clone)
    git("merge", "-q", "--no-ff", "-m", "the whole side", "side", at=clone)
    assert push(clone).returncode == 0


@pytest.mark.parametrize("text", ["", TEXT.replace("bytes = 600_000", "bytes = 1000"), "[most"])
def test_a_budget_that_is_broken_or_not_met_is_refused(clone, text):
    commit(clone, "v2", text)
    assert push(clone).returncode != 0


def test_a_model_without_a_budget_is_refused(clone):
    commit(clone, "v2")
    refused = push(clone)
    assert refused.returncode != 0 and "no budget.toml" in refused.stderr


def test_commits_without_a_model_and_removed_branches_are_let_through(clone):
    commit(clone, "v2", TEXT)
    push(clone)
    commit(clone, subject="only words")
    assert push(clone).returncode == 0
    assert push(clone, "main:refs/heads/other").returncode == 0
    assert push(clone, ":other").returncode == 0


def test_outside_git_the_command_says_what_it_is(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("GIT_DIR", raising=False)
    assert cli.main(["edge", "gate"]) == 1
    assert "--install" in capsys.readouterr().err
    assert cli.main(["edge", "gate", "--install", str(tmp_path)]) == 1
    assert "no bare repository" in capsys.readouterr().err
