"""Locks between processes: a training, a delivery or a rollout is at work in a folder, and no second one

A lock is the system's: it goes with the process, however that ends. Knows nothing of what is done meanwhile.
"""

from contextlib import AbstractContextManager
from pathlib import Path

from filelock import FileLock, Timeout


def alone(lock: Path, refusal: Exception, patience: float = 0) -> AbstractContextManager:
    """``with alone(…):`` no other process has this lock; it is taken when this returns.

    Waits for ``patience`` seconds at most, then raises ``refusal``.
    """
    try:
        return FileLock(lock, timeout=patience).acquire()
    except Timeout:
        raise refusal from None
