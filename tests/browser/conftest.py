"""A stage for the app, with a real browser: one for a file, since a browser takes seconds to start."""

import os

import pytest

from fsdl_deploy.browser.chromium import NoBrowser, program
from fsdl_deploy.browser.stage import AppStage


@pytest.fixture(scope="module")
def stage():
    """Skipped without a Chromium or Chrome, but never in CI."""
    try:
        program()
    except NoBrowser as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))
    with AppStage() as stage:
        yield stage
