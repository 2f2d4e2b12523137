"""What several test files need: a browser, a PostgreSQL server, an inbox of cards."""

import os
import shutil
import sys
from collections import Counter
from typing import NamedTuple

import httpx2
import pytest
from needs import or_skip

from fsdl_course.setup.looks.programs import BROWSERS
from fsdl_deploy.paths import ROOT

SOLUTIONS = ROOT / "solutions"
BROWSER = os.environ.get("CHROME_PATH") or next(filter(None, map(shutil.which, BROWSERS)), None)


def pytest_collection_modifyitems(config, items):
    """Of two tests with one id xdist would run one: say so. Thorough tests wait for CI.

    So do the solutions under nbval: tests/labs/test_convert.py runs each of them as the grader does. Whole
    replays are for whoever asks for them: no part of a run lacks them.
    """
    if os.environ.get("FSDL_CAPSTONE") != "all":
        whole = [item for item in items if item.get_closest_marker("whole_replay")]
        config.hook.pytest_deselected(items=whole)
        items[:] = [item for item in items if item not in whole]
    twice = [test_id for test_id, times in Counter(item.nodeid for item in items).items() if times > 1]
    if twice:
        raise pytest.UsageError(f"two tests have the same id, and only one would run: {twice[0]}")
    if not os.environ.get("CI"):
        for item in items:
            if item.get_closest_marker("thorough") or SOLUTIONS in item.path.parents:
                item.add_marker(pytest.mark.skip(reason="thorough: runs with CI=1"))


class ShownFigure(NamedTuple):
    """A figure as a test sees it: its axes, the words, and the labels in the legends of the whole figure."""

    axes: list
    alt: str
    legend: list[str]


@pytest.fixture
def shown_figures(monkeypatch):
    """The figures that are shown while the test runs, their labels checked as in a notebook."""
    from matplotlib import pyplot

    from fsdl_deploy import figures

    kept = []

    def show(figure, alt):
        figures._check_labels(figure)
        legend = [text.get_text() for each in figure.legends for text in each.get_texts()]
        kept.append(ShownFigure(figure.axes, alt, legend))
        pyplot.close(figure)

    monkeypatch.setattr(figures, "show", show)
    return kept


@pytest.fixture(autouse=True)
def _no_figure_stays_open():
    """Matplotlib keeps a figure until it is closed: a test that leaves one to the next test fails."""
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        left = pyplot.get_fignums()
        pyplot.close("all")
        assert not left, "close the figures that the test drew"


@pytest.fixture(scope="module")
def browser():
    """A Chromium or Chrome from PATH, or the one that CHROME_PATH names; without one the test is skipped."""
    if not BROWSER:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is on PATH")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # A sketchpad needs WebGL; without a graphics card this way of drawing it takes half of the time.
        options = ["--no-sandbox", "--use-angle=swiftshader", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=BROWSER, args=options)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def server():
    """The real service around a reader without weights; a file that needs other settings makes its own."""
    from fake_service import fake_server

    with fake_server("--max-pictures", "8") as server:
        yield server


@pytest.fixture(scope="module")
def client(server):
    with httpx2.Client(base_url=server.url, trust_env=False, timeout=20) as client:
        yield client


@pytest.fixture(scope="session")
def postgres():
    """A real PostgreSQL server; skipped where it is not installed, but never in CI."""
    from fsdl_deploy.batch.postgres import Postgres, PostgresMissing, programs

    or_skip(programs, PostgresMissing)
    with Postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request, tmp_path):
    """The URL of an empty store, once in SQLite and once in a database of its own in PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'readings.db'}"
        return
    import psycopg

    server = request.getfixturevalue("postgres")
    name = f"test_{os.urandom(4).hex()}"
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield server.url.removesuffix("/postgres") + f"/{name}"
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def month_of_cards(tmp_path_factory):
    """An inbox with 120 cards of 2026-10 in two shards; tests that change it take a copy."""
    from fsdl_deploy.batch import inbox
    from fsdl_deploy.customers import Customers

    folder = tmp_path_factory.mktemp("inbox")
    inbox.fill(folder, Customers(60, seed=5), "2026-10")
    other = folder / "2026-10" / "C0007"
    other.mkdir()
    for i, path in enumerate(sorted((folder / "2026-10" / "C0000").iterdir())):
        shutil.copyfile(path, other / f"C{7000 + i:07d}.jpg")
    return folder
