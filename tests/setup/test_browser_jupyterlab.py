"""The lessons as a student reads them: real JupyterLab in a real browser, Run All, no error.

Works on a copy of the notebooks with its own Jupyter folders, so nothing outside is read or changed. The copy
is a repository: what a student runs changes nothing that git knows.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time

import httpx2
import pytest

from fsdl_course.notebooks import build, conversion
from fsdl_course.workspace import copies, jupyterlab
from fsdl_deploy.running.servers import Server

TOKEN = "of-a-test"
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
SKIPPING = """# %% [markdown]
# # Skipping

# %% tags=["station:nowhere"]
raise RuntimeError("nobody has this station")

# %%
print("after")

# %%
from fsdl_course.setup.stations import ensure

ensure("nowhere")
"""


def git(course, *words):
    """What git says in ``course``, whatever repository a hook's environment names."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", *words]
    return subprocess.run(command, cwd=course, env=env, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A repository of the course's notebooks, with a student's working copy."""
    course = tmp_path_factory.mktemp("lab") / "course"
    hidden = shutil.ignore_patterns(".*", "__pycache__")
    for name in ("notebooks", "labs", "infra"):
        if (ROOT / name).exists():
            shutil.copytree(ROOT / name, course / name, ignore=hidden)
    (course / "models").mkdir()
    for name in ("models/v2.md", ".gitignore", "nbgrader_config.py"):
        shutil.copyfile(ROOT / name, course / name)
    for name, text in (("broken", BROKEN), ("skipping", SKIPPING)):
        source = course / "notebooks" / "source" / f"{name}.py"
        source.write_text(text, encoding="utf-8")
        build.build(source, course)
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "The course"]):
        git(course, *words)
    copies.refresh(course)
    return course


@pytest.fixture(scope="module")
def lab(course):
    """JupyterLab as ``make lab`` starts it, on a copy of the course."""
    folder = course.parent
    env = {f"JUPYTER_{name}_DIR": str(folder / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    env |= {f"JUPYTERLAB_{name}_DIR": str(folder / name) for name in ("SETTINGS", "WORKSPACES")}
    env |= {"IPYTHONDIR": str(folder / "ipython"), **jupyterlab.environ(ROOT)}
    settings = folder / "CONFIG" / "labconfig" / "default_setting_overrides.json"
    settings.parent.mkdir(parents=True)
    shutil.copyfile(ROOT / "infra" / "jupyterlab" / "overrides.json", settings)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--expose-app-in-browser"]
    command += ["--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}"]
    command += jupyterlab.options(course)
    with Server(command, ready="/api", env=env, cwd=course, timeout=180) as server:
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
        page.goto(f"{lab.url}{jupyterlab.opening(f'work/notebooks/{name}.ipynb')}?reset&token={TOKEN}")
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


def save(page):
    """File > Save Notebook, and wait until it is on the disk."""
    page.locator("#jp-MainMenu").get_by_text("File", exact=True).click()
    page.locator(".lm-Menu").get_by_text("Save Notebook", exact=True).click()
    page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")


def test_the_printed_address_opens_the_tour_with_the_lessons_of_the_working_copy(browser, lab, course):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(120_000)
    (address, *_) = re.findall(rf"{lab.url}\S+", lab.log())
    assert address.endswith("?token=...")  # a token that was given is not printed
    address = address.replace("...", TOKEN)
    assert httpx2.get(address, trust_env=False).status_code == 200  # not the page that asks for the token
    page.goto(address)
    page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for()
    assert page.evaluate("() => window.jupyterapp.shell.currentWidget.context.path") == jupyterlab.TOUR
    page.locator(".jp-DirListing-item").nth(1).wait_for()
    names = page.locator(".jp-DirListing-itemText").all_inner_texts()
    assert [name.strip() for name in names][:3] == ["tools", "00_tour.ipynb", "01_prototype.ipynb"]
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "jupyterlab_first.png")
    menus = [name.strip() for name in page.locator("#jp-MainMenu .lm-MenuBar-itemLabel").all_inner_texts()]
    assert {"File", "Run", "Help"} <= set(menus) and "Nbgrader" not in menus
    assert not (course / "grades").exists()

    card = page.locator(".jp-RenderedMarkdown a").get_by_text("model card of v2")  # outside work/
    panel = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-WindowedPanel-outer")

    def in_sight():
        panel.evaluate("panel => panel.scrollBy(0, panel.clientHeight / 2)")
        return card.count()

    wait_for(in_sight, lambda: "no link to the model card", 120)
    card.first.click()
    page.wait_for_function("() => window.jupyterapp.shell.currentWidget.context?.path === 'models/v2.md'")
    page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")
    context.close()


@pytest.mark.parametrize("name", LESSONS)
def test_run_all_in_jupyterlab(run_all, course, name):
    assert (ROOT / "notebooks" / f"{name}.ipynb").exists(), f"make notebooks: {name}.ipynb is missing"
    page, cells = run_all(name)
    images = scroll_through(page, name)
    assert errors(cells) == []
    assert len(cells) >= 6 and all(cell["execution_count"] for cell in cells)
    outputs = [image for image in images if image["kind"] == "output"]
    assert pictures_shown(cells) >= 1
    # Two equal pictures have one source, so there may be fewer sources than pictures, but not none.
    assert 1 <= len(outputs) <= pictures_shown(cells)
    assert all(image["width"] > 0 and image["alt"] for image in outputs)
    diagrams = page.evaluate(
        CELLS.replace("cells", "cells.filter(cell => cell.source.includes('```mermaid'))")
    )
    drawn = [image for image in images if image["source"].startswith("data:image/svg+xml")]
    assert len(drawn) >= len(diagrams) >= 1
    assert page.locator(".jp-RenderedMermaid.jp-mod-warning").count() == 0
    save(page)
    copy = course / "work" / "notebooks" / f"{name}.ipynb"
    saved = [cell for cell in json.loads(copy.read_text())["cells"] if cell["cell_type"] == "code"]
    assert all(cell["execution_count"] for cell in saved) and copies.is_touched(copies.read(copy))
    assert git(course, "status", "--porcelain") == ""


@pytest.mark.thorough
def test_an_error_in_a_notebook_is_seen(run_all):
    page, cells = run_all("broken")
    assert [error["evalue"] for error in errors(cells)] == ["as it should"]
    assert page.locator(".jp-OutputArea-output").get_by_text("RuntimeError: as it should").is_visible()


def test_a_cell_whose_station_cannot_be_had_is_skipped_with_one_sentence(run_all):
    page, cells = run_all("skipping")
    texts = ["".join(output.get("text", "")) for cell in cells for output in cell["outputs"]]
    assert texts[0].startswith("Skipped. No station 'nowhere'") and texts[0].count("\n") == 1
    assert texts[1] == "after\n"
    (error,) = errors(cells)
    assert len(error["traceback"]) == 1 and error["traceback"][0].startswith("No station 'nowhere'")
    page.screenshot(path=SCREENSHOTS / "jupyterlab_skipping.png")
