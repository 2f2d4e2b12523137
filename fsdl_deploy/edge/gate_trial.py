"""The gate tried: a central repository that has it, a clone, commits and pushes, all in a temporary folder

Real git, as an author and a server use it; no setting of the user's is read. ``push`` says what git said.
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from fsdl_deploy import weights
from fsdl_deploy.edge import budget, gate

_AUTHOR = ("-c", "user.name=Author", "-c", "user.email=author@example.org")
TAKEN, REFUSED = "taken", "refused"


@dataclass(frozen=True)
class Pushed:
    """One push: TAKEN or REFUSED, and the gate's reasons."""

    subject: str
    outcome: str
    reasons: tuple[str, ...]


class Repositories:
    """``central.git`` with the gate, and a ``clone``, in ``folder``. Raises GateError where git is
    missing.
    """

    def __init__(self, folder: Path):
        self.central, self.clone = folder / "central.git", folder / "clone"
        # The user's own settings could sign commits, rename branches or add hooks.
        self._environment = os.environ | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        self._git("init", "--quiet", "--bare", "--initial-branch=main", self.central)
        gate.install(self.central)
        self._git("clone", "--quiet", self.central, self.clone)
        self._git("-C", self.clone, "checkout", "--quiet", "-B", "main")

    def commit(self, subject: str, version: str = "", text: str = "") -> None:
        """Commit a model by its version, or a new text of the budget, or both."""
        if version:
            (self.clone / gate.MODEL).write_bytes(weights.verified(f"{version}.onnx"))
        if text:
            (self.clone / gate.BUDGET).write_text(text, encoding="utf-8")
        self._git("-C", self.clone, "add", "--all")
        self._git("-C", self.clone, "commit", "--quiet", "--message", subject)

    def push(self) -> Pushed:
        """Push all commits. After a refusal the clone is as the central repository again."""
        subject = self._git("-C", self.clone, "log", "-1", "--format=%s").stdout.strip()
        result = self._git("-C", self.clone, "push", "--quiet", "origin", "main", check=False)
        lines = [line.removeprefix("remote: ").strip() for line in result.stderr.splitlines()]
        reasons = tuple(line for line in lines if line.startswith("refused: "))
        if result.returncode and not reasons:
            raise gate.GateError(f"git push failed: {result.stderr.strip()}")
        if result.returncode:
            self._git("-C", self.clone, "reset", "--quiet", "--hard", "origin/main")
        return Pushed(subject, REFUSED if result.returncode else TAKEN, reasons)

    def subjects(self) -> list[str]:
        """The commits that the central repository has, the oldest first."""
        log = self._git("-C", self.central, "log", "--reverse", "--format=%s", "main")
        return log.stdout.splitlines()

    def _git(self, *words: object, check: bool = True) -> subprocess.CompletedProcess:
        command = ["git", *_AUTHOR, *map(str, words)]
        try:
            result = subprocess.run(
                command, capture_output=True, text=True, timeout=300, env=self._environment
            )
        except FileNotFoundError:
            raise gate.GateError("git is not installed: the gate is a hook of git") from None
        if check and result.returncode:
            raise gate.GateError(f"git failed: {result.stderr.strip()}")
        return result


def default_budget() -> str:
    """The text of the course's own budget."""
    return budget.FILE.read_text(encoding="utf-8")
