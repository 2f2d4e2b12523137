"""A stage for the app, with a real browser: one for a file, since a browser takes seconds to start."""

import pytest
from needs import browser_or_skip

from fsdl_deploy.browser.stage import AppStage


@pytest.fixture(scope="module")
def stage():
    """Skipped without a Chromium or Chrome, but never in CI."""
    browser_or_skip()
    with AppStage() as stage:
        yield stage
