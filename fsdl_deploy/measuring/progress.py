"""A progress bar where somebody waits: on stderr, and only for what takes more than a moment."""

import contextlib

PATIENCE = 2.0  # seconds without a bar


class _NoBar(contextlib.AbstractContextManager):
    n = 0

    def __exit__(self, *exception) -> None:
        pass

    def update(self, count: int) -> None:
        pass


def bar(total: int | None, what: str, unit: str):
    """tqdm's bar; ``total`` may be None. It starts no thread, which would stand beside those measured."""
    try:
        from tqdm import tqdm
    except ImportError:  # a station's own packages need not have it
        return _NoBar()

    class Bar(tqdm):
        monitor_interval = 0

    return Bar(total=total, desc=what, unit=unit, delay=PATIENCE, leave=False)
