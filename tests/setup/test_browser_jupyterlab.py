"""The lessons as a student reads them: real JupyterLab in a real browser, Run All, no error.

Works on a copy of the notebooks with its own Jupyter folders, so nothing outside is read or changed.
"""

import os
import shutil
import sys
import time

import pytest

from fsdl_course.notebooks import build, conversion
from fsdl_deploy.running.servers import Server

ROOT = conversion.ROOT
SCREENSHOTS = ROOT / "build" / "screenshots"
pytestmark = pytest.mark.timeout(1200)
LESSONS = ("00_tour", pytest.param("01_prototype", marks=pytest.mark.thorough))
RUN_SECONDS = 600  # a lesson takes up to 60 on two idle cores, this test may share them
# What the page holds, from JupyterLab's own model: the cells that are out of sight are not in the document.
CELLS = "() => window.jupyterapp.shell.currentWidget.content.model.toJSON().cells"
STATUS = "() => window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status"
# JupyterLab draws a cell when it comes into sight, and lets one scroll past the last.
IN_SIGHT = """() => [...document.querySelectorAll('.jp-Notebook .jp-Cell')].filter(cell => {
    const place = cell.getBoundingClientRect()
    const panel = cell.closest('.jp-WindowedPanel-outer').getBoundingClientRect()
    return place.height > 0 && place.bottom > panel.top + 40 && place.top < panel.bottom - 40
})"""
DRAWN = f"""() => [...document.images].every(image => image.complete)
    && ({IN_SIGHT})().every(cell => cell.innerText.trim() || cell.querySelector('img'))"""
BROKEN = """# %% [markdown]
# # Broken

# %%
print("before")

# %%
raise RuntimeError("as it should")

# %%
print("after")
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab as ``make lab`` starts it, on a copy of the course."""
    folder = tmp_path_factory.mktemp("lab")
    hidden = shutil.ignore_patterns(".*", "__pycache__")
    for name in ("notebooks", "infra"):
        if (ROOT / name).exists():
            shutil.copytree(ROOT / name, folder / "course" / name, ignore=hidden)
    source = folder / "course" / "notebooks" / "source" / "broken.py"
    source.write_text(BROKEN, encoding="utf-8")
    build.build(source, folder / "course")
    env = {f"JUPYTER_{name}_DIR": str(folder / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    env |= {f"JUPYTERLAB_{name}_DIR": str(folder / name) for name in ("SETTINGS", "WORKSPACES")}
    env |= {"IPYTHONDIR": str(folder / "ipython")}
    settings = folder / "CONFIG" / "labconfig" / "default_setting_overrides.json"
    settings.parent.mkdir(parents=True)
    shutil.copyfile(ROOT / "infra" / "jupyterlab" / "overrides.json", settings)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--expose-app-in-browser"]
    command += ["--ServerApp.port={port}", "--ServerApp.port_retries=0", "--IdentityProvider.token="]
    command += [f"--ServerApp.root_dir={folder / 'course'}", "--LabApp.news_url=None"]
    command += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    with Server(command, ready="/api", env=env, timeout=180) as server:
        yield server


def wait_for(what, say, seconds=RUN_SECONDS):
    """Poll ``what`` until it is true; ``say`` tells what was seen last."""
    deadline = time.monotonic() + seconds
    while not (seen := what()):
        assert time.monotonic() < deadline, f"not so after {seconds} s: {say()}"
        time.sleep(0.2)
    return seen


@pytest.fixture
def run_all(browser, lab):
    """Open a notebook, wait for its kernel, choose Run All Cells, wait for the last cell."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(120_000)
    asked = []
    page.on("request", lambda request: asked.append((request.frame == page.main_frame, request.url)))

    def code_cells():
        return [cell for cell in page.evaluate(CELLS) if cell["cell_type"] == "code"]

    def finished():
        if page.evaluate(STATUS) != "idle":
            return False
        cells = code_cells()
        if errors(cells):  # the cells below will not run
            return True
        # In order and from 1: the counts that were stored in the file do not count.
        return [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))

    def run(name):
        page.goto(f"{lab.url}/lab/tree/notebooks/{name}.ipynb?reset")
        page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for()
        page.locator(".jp-Notebook .jp-Cell").first.wait_for()
        page.locator("#jp-MainMenu").get_by_text("Run", exact=True).click()
        page.locator(".lm-Menu").get_by_text("Run All Cells", exact=True).click()
        wait_for(finished, lambda: [cell["execution_count"] for cell in code_cells()])
        assert page.locator(".jp-Dialog").count() == 0, "a dialog covers the lesson"
        assert page.locator(".Toastify__toast").all_inner_texts() == [], "a pop-up covers the lesson"
        return page, code_cells()

    yield run
    # Each notebook's kernel goes with its page, or the next lesson shares two cores with it.
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    context.close()
    own = (lab.url, lab.url.replace("http", "ws"), "data:", "blob:")
    assert [url for in_main_frame, url in asked if in_main_frame and not url.startswith(own)] == []


def errors(cells):
    return [output for cell in cells for output in cell["outputs"] if output["output_type"] == "error"]


def pictures_shown(cells):
    """How many pictures the outputs hold."""
    pages = [output.get("data", {}).get("text/html", "") for cell in cells for output in cell["outputs"]]
    return sum("".join(page).count("<img") for page in pages)


def scroll_through(page, name):
    """Screenshots from top to bottom; returns the pictures and diagrams that were visible."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for old in SCREENSHOTS.glob(f"jupyterlab_{name}_*.png"):
        old.unlink()
    panel = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-WindowedPanel-outer")
    panel.evaluate("panel => panel.scrollTo(0, 0)")
    seen, number, last = {}, 0, -1
    while (top := panel.evaluate("panel => panel.scrollTop")) > last and page.evaluate(
        f"({IN_SIGHT})().length"
    ):
        number, last = number + 1, top
        page.wait_for_function(DRAWN)
        page.screenshot(path=SCREENSHOTS / f"jupyterlab_{name}_{number:02}.png")
        for image in page.evaluate(
            """() => [...document.querySelectorAll('.jp-Notebook img')]
                .filter(image => image.getBoundingClientRect().height > 0 && image.checkVisibility())
                .map(image => ({source: image.src, alt: image.alt, width: image.naturalWidth,
                    kind: image.closest('.jp-OutputArea-output') ? 'output' : 'prose'}))"""
        ):
            seen[image["source"]] = image
        panel.evaluate("panel => panel.scrollBy(0, panel.clientHeight - 60)")
    return list(seen.values())


@pytest.mark.parametrize("name", LESSONS)
def test_run_all_in_jupyterlab(run_all, name):
    assert (ROOT / "notebooks" / f"{name}.ipynb").exists(), f"make notebooks: {name}.ipynb is missing"
    page, cells = run_all(name)
    images = scroll_through(page, name)
    assert errors(cells) == []
    assert len(cells) >= 6 and all(cell["execution_count"] for cell in cells)
    shown = [image for image in images if image["kind"] == "output"]
    assert pictures_shown(cells) >= 1
    # Two equal pictures have one source, so there may be fewer sources than pictures, but not none.
    assert 1 <= len(shown) <= pictures_shown(cells)
    assert all(image["width"] > 0 and image["alt"] for image in shown)
    diagrams = page.evaluate(
        CELLS.replace("cells", "cells.filter(cell => cell.source.includes('```mermaid'))")
    )
    drawn = [image for image in images if image["source"].startswith("data:image/svg+xml")]
    assert len(drawn) >= len(diagrams) >= 1
    assert page.locator(".jp-RenderedMermaid.jp-mod-warning").count() == 0


@pytest.mark.thorough
def test_an_error_in_a_notebook_is_seen(run_all):
    page, cells = run_all("broken")
    assert [error["evalue"] for error in errors(cells)] == ["as it should"]
    assert page.locator(".jp-OutputArea-output").get_by_text("RuntimeError: as it should").is_visible()
