"""Waiting for something to come true, such as the end of a process, without a fixed sleep."""

import time
from contextlib import suppress

import psutil


def until(condition, seconds=60, what="the condition"):
    """The first true value of ``condition()``, asked again and again; the test fails after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what} did not come true in {seconds} s"
        time.sleep(0.05)
    return value


def alive(pid):
    """Whether a process runs: one that has ended and that nobody has asked about does not."""
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False
