"""Waiting for something to come true, without a fixed sleep."""

import time


def until(condition, seconds=60, what="the condition"):
    """The first true value of ``condition()``, asked again and again; the test fails after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what} did not come true in {seconds} s"
        time.sleep(0.05)
    return value
