"""A progress bar where somebody waits: on stderr, and only for what takes more than a moment."""

PATIENCE = 2.0  # seconds without a bar


def bar(total: int, what: str, unit: str):
    """tqdm's bar. It starts no thread of its own, which would stand beside those that are measured."""
    from tqdm import tqdm

    class Bar(tqdm):
        monitor_interval = 0

    return Bar(total=total, desc=what, unit=unit, delay=PATIENCE, leave=False)
