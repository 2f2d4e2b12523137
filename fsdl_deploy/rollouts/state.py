"""The state of a rollout on disk: whole or not at all, so that a controller may die at any moment

It holds what was decided, never what was seen: that is in the logs, and is read again.
"""

import json
import math
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from fsdl_deploy import files

FILE = "rollout.json"
RUNNING, PAUSED, DONE, ROLLED_BACK = "running", "paused", "done", "rolled back"
_STATUSES = (RUNNING, PAUSED, DONE, ROLLED_BACK)


class StateError(RuntimeError):
    """The state on disk is damaged; the message says what to do."""


@dataclass(frozen=True)
class RolloutState:
    """``status``; the ``step`` of the plan; the candidate's ``share`` of the traffic and of the ``shadow``.

    ``pairs``: of answers that there were when the step began. ``offset``: where the rollout began in the
    proxy's log. ``why`` it is so. ``history``: time, share and reason of each change.
    """

    status: str = RUNNING
    step: int = 0
    share: float = 0.0
    shadow: float = 0.0
    pairs: int = 0
    offset: int = 0
    why: str = "it begins"
    history: tuple[tuple[float, float, str], ...] = ()

    def __post_init__(self):
        numbers = {"step": self.step, "pairs": self.pairs, "offset": self.offset}
        if self.status not in _STATUSES:
            raise ValueError(f"status {self.status!r}")
        for name, number in numbers.items():
            if type(number) is not int or number < 0:
                raise ValueError(f"{name} {number!r}")
        for name in ("share", "shadow"):
            number = getattr(self, name)
            if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= 1:
                raise ValueError(f"{name} {number!r}")
        if not isinstance(self.why, str):
            raise ValueError(f"why {self.why!r}")
        for moment, share, why in self.history:
            if not math.isfinite(moment) or not 0 <= share <= 1 or not isinstance(why, str):
                raise ValueError("history")

    @property
    def over(self) -> bool:
        return self.status in (DONE, ROLLED_BACK)

    def changed(self, why: str, **fields) -> "RolloutState":
        """The state after a change, which is in its history."""
        after = replace(self, why=why, **fields)
        return replace(after, history=(*self.history, (round(time.time(), 3), after.share, why)))


def save(folder: Path, state: RolloutState) -> None:
    """Write it whole, to last through a loss of power."""
    files.write(folder / FILE, json.dumps(asdict(state), indent=1) + "\n", durable=True)


def load(folder: Path) -> RolloutState | None:
    """The state, None where no rollout has begun. Raises StateError for what ``save`` has not written."""
    path = folder / FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return RolloutState(**content | {"history": tuple(tuple(entry) for entry in content["history"])})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise StateError(
            f"{path} is damaged ({problem}), so nobody knows how far the rollout was: send everybody to the "
            f"stable version with `fsdl-deploy rollouts order {folder} rollback --canary FOLDER`, which also "
            "writes a new state"
        ) from None
