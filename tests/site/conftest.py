"""A small course whose site is made."""

from pathlib import Path

import pytest
from small_course import make_course


@pytest.fixture
def tiny(tmp_path) -> Path:
    return make_course(tmp_path / "course")
