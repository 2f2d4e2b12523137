"""The gate's trial for the lesson: taken and refused, and what is refused leaves no trace."""

import shutil

import pytest

from fsdl_deploy.edge import gate_trial
from fsdl_deploy.edge.gate import GateError
from fsdl_deploy.edge.gate_trial import REFUSED, TAKEN

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def test_what_is_refused_leaves_no_trace(tmp_path):
    repositories = gate_trial.Repositories(tmp_path)
    repositories.commit("first", "v2", gate_trial.default_budget())
    assert repositories.push().outcome == TAKEN
    repositories.commit("no budget", text="[most]\n")
    push = repositories.push()
    assert push.outcome == REFUSED and push.reasons
    assert repositories.subjects() == ["first"]
    assert (repositories.clone / "budget.toml").read_text(encoding="utf-8") == gate_trial.default_budget()


def test_another_problem_of_git_is_not_a_refusal(tmp_path):
    repositories = gate_trial.Repositories(tmp_path)
    repositories.commit("first", "v1")
    shutil.rmtree(repositories.central)
    with pytest.raises(GateError, match="git push failed"):
        repositories.push()
