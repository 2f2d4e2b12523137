"""A browser for tests: skipped where there is none, but never in CI."""

import os

import pytest

from fsdl_deploy.browser.chromium import NoBrowser, program


def browser_or_skip() -> None:
    """Skip the test without a Chromium or Chrome; in CI the missing browser is an error."""
    try:
        program()
    except NoBrowser as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))
