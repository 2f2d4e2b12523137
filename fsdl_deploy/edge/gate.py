"""`fsdl-deploy edge gate`: a commit that breaks the budget is refused, by the repository itself

A pre-receive hook of git: it gets a line for each branch that is pushed, and git takes the push only if it
ends with status 0. Unlike a hook on the author's machine it cannot be skipped. It asks of every new commit
that changes the model or the budget: does the model fit (counted figures, which are the same on every
machine), and has it grown by more than one commit may add? Who needs more changes the budget, in a commit
that says so.
"""

import os
import stat
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from fsdl_deploy.edge import budget
from fsdl_deploy.paths import ROOT

MODEL, BUDGET = "model.onnx", "budget.toml"
_NONE = "0" * 40


class GateError(RuntimeError):
    """git failed, or the gate cannot look at what was pushed; the message says so."""


def _git(*words: str, repository: Path | None = None) -> bytes:
    command = ["git", *(("-C", str(repository)) if repository else ()), *words]
    result = subprocess.run(command, capture_output=True, timeout=120)
    if result.returncode:
        raise GateError(f"git {words[0]} failed: {result.stderr.decode(errors='replace').strip()}")
    return result.stdout


def _file(commit: str, name: str) -> bytes | None:
    """A file as a commit has it; None where it has none."""
    if not _git("ls-tree", "--name-only", commit, "--", name).strip():
        return None
    return _git("cat-file", "blob", f"{commit}:{name}")


def problems(commit: str) -> list[str]:
    """Why a commit may not come in; [] where it may. Runs inside the repository."""
    graph, text = _file(commit, MODEL), _file(commit, BUDGET)
    if graph is None and text is None:
        return []
    if graph is None or text is None:
        return [f"it has {MODEL if text is None else BUDGET} and no {BUDGET if text is None else MODEL}"]
    parents = _git("rev-list", "--parents", "-n", "1", commit).decode().split()[1:]
    before = [(_file(parent, MODEL), _file(parent, BUDGET)) for parent in parents]
    # One parent must have both: a merge may take the model from one side and the budget from the other.
    if (graph, text) in before:
        return []
    try:
        limits = budget.read(text.decode("utf-8"), BUDGET)
        figures = budget.counted(graph)
        reasons = [line.reason for line in budget.judged(figures, limits) if not line.fits]
        for old, allowed in before:
            if old is not None and old != graph and allowed == text:
                reasons += budget.grown(figures, budget.counted(old), limits)
    except (budget.BudgetError, UnicodeDecodeError) as error:
        return [str(error)]
    return reasons


def refusals(lines: Iterable[str]) -> list[str]:
    """The reasons against a push: ``lines`` are git's, *old new ref*. Every commit that is new is looked
    at.
    """
    reasons = []
    for line in lines:
        _, new, ref = line.split()
        if new == _NONE:  # a branch is removed: nothing comes in
            continue
        for commit in _git("rev-list", "--reverse", new, "--not", "--all").decode().split():
            title = _git("log", "-1", "--format=%h %s", commit).decode().strip()
            reasons += [f"{ref}: {title}: {problem}" for problem in problems(commit)]
    return reasons


def install(repository: Path) -> Path:
    """Write the hook into a repository without a working tree (``git init --bare``); where it is.

    Raises GateError where there is none. The hook runs with this Python and this copy of the package.
    """
    folder = repository / "hooks"
    if not (repository / "HEAD").is_file():
        raise GateError(f"{repository} is no bare repository: make one with git init --bare")
    folder.mkdir(exist_ok=True)
    hook = folder / "pre-receive"
    python, home = Path(sys.executable).as_posix(), ROOT.as_posix()
    hook.write_text(
        f'#!/bin/sh\nPYTHONPATH="{home}" exec "{python}" -m fsdl_deploy.cli edge gate\n', encoding="utf-8"
    )
    hook.chmod(hook.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return hook


def add_arguments(parser) -> None:
    parser.add_argument(
        "--install", type=Path, metavar="REPOSITORY", help="write the hook into this bare repository instead"
    )


def main(args) -> int:
    """As git's hook: read what is pushed from stdin; 1 with a reason a line if it may not come in."""
    if args.install:
        print(f"the gate is {install(args.install)}")
        return 0
    if "GIT_DIR" not in os.environ:
        raise GateError("git starts this as its hook; put it into a repository with --install REPOSITORY")
    reasons = refusals(sys.stdin)
    for reason in reasons:
        print(f"refused: {reason}", file=sys.stderr)
    return 1 if reasons else 0
