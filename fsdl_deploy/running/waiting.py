"""Wait for something that nobody reports: look again and again, and not for ever"""

import time
from collections.abc import Callable


def until(
    condition: Callable[[], object],
    seconds: float,
    problem: Callable[[str], Exception],
    what: str,
    pause: float = 0.2,
) -> None:
    """Return once ``condition()`` is true, looked at every ``pause`` seconds.

    Raises ``problem``, told that ``what`` is not so far, after ``seconds``.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise problem(f"{what} is not so far after {seconds:.0f} s")
        time.sleep(pause)
