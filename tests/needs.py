"""Programs that tests need of the machine: skipped where one is missing, but never in CI."""

import os
from collections.abc import Callable

import pytest

from fsdl_deploy.browser.chromium import NoBrowser, program


def or_skip(look: Callable, missing: type[Exception]) -> None:
    """Skip the test where ``look`` raises ``missing``; in CI that is an error."""
    try:
        look()
    except missing as problem:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(problem))


def browser_or_skip() -> None:
    """Skip the test without a Chromium or Chrome."""
    or_skip(program, NoBrowser)
