"""A plugin of pytest: what needs a station that is not built is left out, and told at the end.

``--must-run`` allows no gap. Which station a test needs shows when it asks for the interpreter; which one a
notebook needs, in its cells. ``-m station`` and ``-m engine`` choose the files that may need one, so that
several machines can share the work.
"""

import re
from collections import defaultdict
from pathlib import Path

import pytest

from fsdl_course.notebooks import needs
from fsdl_deploy.running.stations import NotBuilt

PARTS = ("core", "stations", "engine", "cluster")
STATION = re.compile(r"The station ([\w-]+) ")
IN_A_FILE = {
    "station": re.compile(r"\b(ensure|stations?\.(python|station)|tool_server|libraries)\b|" + needs.PREFIX),
    "engine": re.compile(r"\b(engine|find_engine|compose)\b"),
}


def pytest_addoption(parser) -> None:
    known = ", ".join(PARTS)
    parser.addoption("--must-run", default="", help=f"fail if a test of these parts is skipped: {known}")


def pytest_configure(config) -> None:
    config.addinivalue_line("markers", "station: its file may need a station")
    config.addinivalue_line("markers", "engine: its file may need a container engine")


def pytest_collection_modifyitems(items) -> None:
    """Mark what may need a station or an engine; leave out cells and notebooks whose station is missing."""
    texts: dict[Path, str] = {}
    lacks: dict[Path, str | None] = {}
    for item in items:
        if item.path not in texts:
            texts[item.path] = item.path.read_text(encoding="utf-8")
        for mark, pattern in IN_A_FILE.items():
            if pattern.search(texts[item.path]):
                item.add_marker(mark)
        cell = getattr(item, "cell", None)
        if cell is None:
            continue
        if item.path not in lacks:
            stations_needed = sorted(needs.whole(item.parent.nb.cells if hasattr(item.parent, "nb") else ()))
            lacks[item.path] = next(filter(None, map(needs.not_built, stations_needed)), None)
        own = next(filter(None, map(needs.not_built, needs.tagged(cell))), None)
        if reason := lacks[item.path] or own:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item):
    return (yield from _leaving_out())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    return (yield from _leaving_out())


def _leaving_out():
    try:
        return (yield)
    except NotBuilt as missing:
        pytest.skip(str(missing))


def part_of(reason: str) -> str:
    """Which part of the course a reason for skipping belongs to."""
    if STATION.search(reason):
        return "stations"
    if reason.startswith("No cluster"):
        return "cluster"
    return "engine" if re.search(r"engine|docker", reason, re.IGNORECASE) else "core"


def why_skipped(report) -> str:
    """Why a test was skipped."""
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")


def pytest_sessionfinish(session) -> None:
    """With ``--must-run``, a skipped test fails the run."""
    if hasattr(session.config, "workerinput") or session.exitstatus != 0:
        return
    if _gaps(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _skips(config) -> list[str]:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return [why_skipped(report) for report in reporter.stats.get("skipped", ())]


def _gaps(config) -> list[str]:
    must = config.getoption("--must-run").split(",")
    return [reason for reason in _skips(config) if part_of(reason) in must]


def pytest_terminal_summary(terminalreporter, config) -> None:
    """Say what was not tested, and with ``--must-run`` what had to be."""
    stations: dict[str, int] = defaultdict(int)
    for reason in _skips(config):
        if match := STATION.search(reason):
            stations[match[1]] += 1
    if stations:
        names = ", ".join(f"{name} ({count})" for name, count in sorted(stations.items()))
        terminalreporter.section("not tested: stations that are not built")
        terminalreporter.line(f"{names}\n`make everything` builds them all, `make station NAME=…` one.")
    if gaps := sorted(set(_gaps(config))):
        terminalreporter.section("skipped, and had to run")
        terminalreporter.line("\n".join(gaps))
