"""What students write does nothing where an instructor looks: tried in the formgrader, in a real browser."""

import json
import os
import re
import sys
import sysconfig

import nbformat
import pytest
from grading_class import ANSWERS, notebook

from fsdl_course.grading import grade, gradebook, inert, report
from fsdl_course.grading.submissions import collect
from fsdl_deploy.running.servers import Server

MARK = "window.HURT=1;document.title='HURT'"
ATTACKS = {
    "script": f"<script>{MARK}</script>",
    "error": f'<img src=x onerror="{MARK}">',
    "picture": f'<svg onload="{MARK}"><script>{MARK}</script></svg>',
    "frame": f'<iframe srcdoc="<script>parent.HURT=1</script>"></iframe><object data="javascript:{MARK}">',
    "style": f'<style>@import "x";</style><details open ontoggle="{MARK}">x</details>',
    "link": f'[click](javascript:{MARK}) <a id=link href="javascript:{MARK}">click</a>',
    "maths": "$\\href{javascript:window.HURT=1}{x}$ $\\require{html}\\style{x}{y}$",
    "form": "<form action=/api><input name=x autofocus onfocus=window.HURT=1><button>send</button></form>",
    "fence": "```\n</code></pre><script>window.HURT=1</script>\n",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_markdown_becomes_harmless_tags(attack):
    html = inert.markdown("**because** " + ATTACKS[attack])
    assert "<strong>because</strong>" in html
    assert not re.search(r"<(script|img|svg|iframe|object|style|form|input|button|details)\b", html)
    assert not re.search(r"<[^>]*\b(on\w+|href=.javascript)", html) and "\\href" not in html


def test_a_raw_cell_is_a_listing_whatever_is_in_it():
    text = "```\n<script>x</script>\n````"
    assert "<script" not in inert.markdown(inert.raw(text))
    assert inert.raw(text).startswith("`````\n")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A class of one whose notebook and name attack whoever looks: the folder of results."""
    folder = tmp_path_factory.mktemp("hostile")
    content = notebook(ANSWERS["half"][0])
    for cell in content["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == "lab00-q6":
            cell["source"] = "\n\n".join(["It is because of the queue.", *ATTACKS.values()])
    for kind in ("raw", "markdown"):
        content["cells"].append({"cell_type": kind, "metadata": {}, "source": ATTACKS["script"]})
    (folder / "in").mkdir()
    name = '<img src=x onerror="window.HURT=1">'.replace("/", "")
    (folder / "in" / f"{name}.ipynb").write_text(json.dumps(content))
    submissions = collect(folder / "in")
    results = grade.grade(submissions, folder / "out", trusted=True)  # the course's own code
    report.write(results, folder / "out")
    gradebook.write(submissions, results, folder / "out")
    return folder / "out"


@pytest.fixture(scope="module")
def jupyter(hostile, tmp_path_factory):
    """A Jupyter server with nbgrader's formgrader in the folder of results: its URL."""
    home = tmp_path_factory.mktemp("home")
    environ = {f"JUPYTER_{name}_DIR": str(home / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    environ |= {"HOME": str(home)}
    environ["PATH"] = sysconfig.get_path("scripts") + os.pathsep + os.environ["PATH"]
    command = [sys.executable, "-m", "jupyter_server", "--ServerApp.port={port}", "--ip=127.0.0.1"]
    command += ["--allow-root", "--IdentityProvider.token=", "--no-browser", "--ServerApp.port_retries=0"]
    command += [
        f"--ServerApp.root_dir={hostile}",
        "--ServerApp.jpserver_extensions=nbgrader.server_extensions.formgrader=True",
    ]
    with Server(command, ready="/api", env=environ, cwd=hostile, timeout=120) as server:
        yield server.url + "/"


def test_the_formgrader_shows_an_attack_as_text(browser, hostile, jupyter):
    with gradebook.open_gradebook(hostile) as book:
        (submission,) = book.assignment_submissions("lab00")
        (identity,) = [each.id for each in submission.notebooks]
        student = submission.student.id
    page = browser.new_page()
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    try:
        page.goto(f"{jupyter}formgrader/submissions/{identity}/", timeout=120_000)
        page.wait_for_selector("text=It is because of the queue.", timeout=60_000)
        for place in ("link", "click"):
            for link in page.get_by_text(place, exact=True).all()[:3]:
                link.click(force=True, timeout=5000)
        assert page.evaluate("window.HURT") is None and page.title() != "HURT" and not dialogs
        assert page.locator("text=window.HURT").count()  # shown, as text
        for path in (
            "manage_students",
            "gradebook/lab00/lab00",
            f"manage_students/{student}",
            "manage_submissions/lab00",
        ):
            page.goto(f"{jupyter}formgrader/{path}", timeout=120_000)
            page.wait_for_selector("table tbody tr", timeout=60_000)
            page.wait_for_load_state("networkidle")
            assert page.evaluate("window.HURT") is None and not dialogs
    finally:
        page.close()


def test_autograde_takes_a_students_outputs_away():
    cell = nbformat.v4.new_code_cell(
        "1", outputs=[nbformat.v4.new_output("display_data", data={"text/html": "<script>"})]
    )
    attached = nbformat.v4.new_markdown_cell(
        "![](attachment:x.svg)", attachments={"x.svg": {"image/svg+xml": "<svg>"}}
    )
    content = nbformat.v4.new_notebook(cells=[cell, nbformat.v4.new_raw_cell("<script>"), attached])
    feedback = gradebook.with_feedback(content, {"lab": "lab00", "questions": []})
    assert [cell.cell_type for cell in feedback.cells] == ["code", "markdown", "markdown"]
    assert feedback.cells[0].outputs == [] and "attachments" not in feedback.cells[2]
    assert content.cells[0].outputs  # the original stays
