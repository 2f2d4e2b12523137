"""``make course``: every notebook runs, also after one that fails, and the report needs no network."""

import re
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser

import psutil
import pytest

from fsdl_course import cli, diagrams
from fsdl_course.notebooks import build, conversion, execute, pages
from fsdl_deploy.paths import ROOT
from fsdl_deploy.running import stations

pytestmark = pytest.mark.timeout(900)  # kernels start slowly on a busy machine
HEAD = '# %% [markdown]\n# # A notebook\n\n# %% tags=["parameters"]\nFAST = True\n'
GOOD = """
# %% [markdown]
# See [the next](02_failing.ipynb#Why), [a picture](../infra/map.txt), [a tool](tools/dead.ipynb),
# [here](#A-notebook) and [there](https://example.org/). $x^2$
#
# ```mermaid
# flowchart LR
#     cards --> model
# ```

# %%
import os
from pathlib import Path

from IPython.display import HTML, IFrame, display

print("fast is", FAST, "in", os.path.basename(os.getcwd()), Path("../infra/map.txt").read_text())
display(HTML('<img alt="a dot" src="data:image/png;base64,iVBORw0KGgo=">'))
display(IFrame("http://127.0.0.1:1/", 300, 200))
"""
FAILING = '\n# %%\nraise ValueError("month end <is> here")\n\n# %%\nprint("never")\n'
UNNAMED = """
# %%
import PIL.Image

PIL.Image.new("L", (9, 9))
"""
DEAD = "\n# %%\nimport os\n\nos._exit(3)\n"


def make(root):
    (root / "infra").mkdir()
    (root / "infra" / "map.txt").write_text("the map", encoding="utf-8")
    (root / ".gitignore").write_text("build/\n", encoding="utf-8")
    sources = root / "notebooks" / "source"
    (sources / "tools").mkdir(parents=True)
    for name, text in (
        ("01_good", GOOD),
        ("02_failing", FAILING),
        ("tools/dead", DEAD),
        ("03_last", UNNAMED),
    ):
        (sources / f"{name}.py").write_text(HEAD + text, encoding="utf-8")
        build.build(sources / f"{name}.py", root)
    for words in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *words], cwd=root, check=True)
    return root


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The course run once, with FAST = False: its folder, exit status, and what was printed."""
    root = make(tmp_path_factory.mktemp("course"))
    printed = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("builtins.print", lambda *words, **_: printed.append(" ".join(map(str, words))))
        status = execute.run(root, [], full=True)
    return root, status, "\n".join(printed)


def test_all_run_after_a_failure_and_the_table_says_how_each_went(ran):
    root, status, printed = ran
    assert status == 1
    rows = [line.split(maxsplit=2) for line in printed.splitlines()]
    assert [row[0] for row in rows] == [
        "notebook",
        "01_good",
        "02_failing",
        "03_last",
        "tools/dead",
        "report:",
    ]
    assert [row[2] for row in rows[1:3]] == ["passed", "failed: ValueError in cell [3]: month end <is> here"]
    assert rows[3][2].startswith("failed: a picture without alternative text in cell [3]")
    assert rows[4][2].startswith("failed: DeadKernelError")
    assert all(float(row[1]) > 0 for row in rows[1:5])
    assert (root / "build" / "course" / "table.txt").read_text(encoding="utf-8") in printed


def test_executed_copies_hold_outputs_parameters_and_errors(ran):
    folder = ran[0] / "build" / "course"
    outputs = [cell.get("outputs", []) for cell in conversion.read(folder / "01_good.ipynb").cells]
    assert "fast is False in notebooks the map" in str(outputs)
    text = (folder / "02_failing.ipynb").read_text(encoding="utf-8")
    assert "ValueError" in text and '"never\\n"' not in text
    assert "This notebook was stopped" in (folder / "tools" / "dead.ipynb").read_text(encoding="utf-8")


def test_the_course_itself_is_left_as_it_was(ran):
    status = subprocess.run(
        ["git", "status", "--porcelain"], cwd=ran[0], check=True, capture_output=True, text=True
    )
    changed = [line for line in status.stdout.splitlines() if not line.startswith("A ")]
    assert changed == []


class Loaded(HTMLParser):
    """What a page loads when it is opened, and where its links lead."""

    def __init__(self, text):
        super().__init__()
        self.loads, self.links, self.alts = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "a":
            self.links.append(attributes.get("href", ""))
        elif tag == "img":
            self.alts.append(attributes.get("alt"))
        for name in ("src", "href", "data", "srcset"):
            if tag != "a" and attributes.get(name):
                self.loads.append(attributes[name])


def test_pages_load_nothing_from_the_network_and_their_links_lead_somewhere(ran):
    folder = ran[0] / "build" / "course"
    pages = sorted(folder.rglob("*.html"))
    assert len(pages) == 5
    for page in pages:
        text = page.read_text(encoding="utf-8")
        loaded = Loaded(text)
        loads = [source for source in loaded.loads if not source.startswith("data:")]
        drawn = page.name == "01_good.html" and stations.station("node").built
        mermaid = ["mermaid.tiny.js"] if drawn else []
        assert loads == mermaid and text.count("<script") == 2 * len(mermaid)
        assert not re.search(r"import\s*\(|@import|url\(\s*['\"]?https?:", text)
        for link in loaded.links:
            if not link.startswith(("#", "https://example.org/")):
                assert (page.parent / link.partition("#")[0]).exists(), f"{page.name}: {link}"
    good = Loaded((folder / "01_good.html").read_text(encoding="utf-8"))
    assert {"02_failing.html#Why", "tools/dead.html"} <= set(good.links)
    assert "a dot" in good.alts


def test_a_page_shows_no_progress_that_is_over(tmp_path):
    """tqdm writes each state over the last one, each in an output of its own, and at the end spaces."""
    import nbformat

    def stream(name, *texts):
        return [nbformat.v4.new_output("stream", name=name, text=text) for text in texts]

    bar = stream("stderr", "\rload:  60%", "\rload:  96%", "\r" + " " * 10 + "\r")
    outputs = [
        *bar,
        *stream("stdout", "96 cards\n"),
        *stream("stderr", "\rtrain 50%", "\rtrain 100%\nslow\n"),
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1", outputs=outputs)])
    copy = tmp_path / "copy.ipynb"
    nbformat.write(notebook, copy)
    page = pages.to_html(copy, tmp_path, tmp_path / "copy")
    assert not re.search("load:  [69]|train 50%", page)
    assert "96 cards" in page and "train 100%" in page and "slow" in page
    assert page.count('data-mime-type="application/vnd.jupyter.stderr"') == 1


def test_a_page_draws_its_diagram(ran, browser):
    assert diagrams.script().is_file()
    page = browser.new_page()
    page.goto((ran[0] / "build" / "course" / "01_good.html").as_uri())
    page.locator("pre.mermaid svg").get_by_text("model").wait_for()
    page.close()


def test_every_diagram_of_the_course_can_be_drawn(browser):
    page = browser.new_page()
    page.add_script_tag(path=diagrams.script())
    drawable = 0
    for path in build.notebooks(ROOT):
        for cell in conversion.read(path).cells:
            for diagram in re.findall(r"^```mermaid\n(.*?)^```", cell.source, re.DOTALL | re.MULTILINE):
                wrong = page.evaluate("text => mermaid.parse(text).then(() => '', String)", diagram)
                assert wrong == "", f"{path.name}: {wrong}"
                drawable += 1
    page.close()
    assert drawable > 20


def test_index_tells_of_each_notebook_with_its_error(ran):
    text = (ran[0] / "build" / "course" / "index.html").read_text(encoding="utf-8")
    assert "4 of 4 notebooks executed, 3 failed." in text
    assert text.count('<span class="passed">') == 1 and text.count('<span class="failed">') == 3
    assert "month end &lt;is&gt; here" in text and "Traceback" in text and "<is>" not in text
    page = (ran[0] / "build" / "course" / "02_failing.html").read_text(encoding="utf-8")
    assert "month end &lt;is&gt; here" in page


def test_an_interrupt_leaves_a_report_and_no_kernel(tmp_path):
    root = make(tmp_path)
    loop = root / "notebooks" / "source" / "02_failing.py"
    loop.write_text(HEAD + "\n# %%\nopen('started', 'w').close()\nwhile True:\n    pass\n", encoding="utf-8")
    build.build(loop, root)
    command = [
        sys.executable,
        "-m",
        "fsdl_course.cli",
        "notebooks",
        "course",
        "--root",
        root,
        "03_last",
        "02_failing",
    ]
    running = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        # A shell's background job, in which this test may run, ignores the signal, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        deadline = time.monotonic() + 300
        while not (root / "notebooks" / "started").exists():
            assert running.poll() is None and time.monotonic() < deadline
            time.sleep(0.1)
        kernels = psutil.Process(running.pid).children(recursive=True)
        assert kernels
        running.send_signal(signal.SIGINT)
        printed, _ = running.communicate(timeout=120)
    finally:
        running.kill()
    assert running.returncode == 130
    assert "03_last" in printed and "1 of 2 notebooks executed" in (
        root / "build" / "course" / "index.html"
    ).read_text(encoding="utf-8")
    assert psutil.wait_procs(kernels, timeout=30)[1] == []


def test_a_cell_that_never_ends_is_stopped(tmp_path, monkeypatch):
    source = tmp_path / "notebooks" / "source" / "01_loop.py"
    source.parent.mkdir(parents=True)
    source.write_text(HEAD + "\n# %%\nwhile True:\n    pass\n", encoding="utf-8")
    path = build.build(source, tmp_path)
    monkeypatch.setattr(execute, "CELL_SECONDS", 5)
    outcome = execute.execute(path, "01_loop", tmp_path / "out")
    assert outcome.problem.startswith("CellTimeoutError")
    assert "This notebook was stopped" in (tmp_path / "out" / "01_loop.html").read_text(encoding="utf-8")


@pytest.mark.thorough
def test_the_courses_own_tour_runs_under_papermill(tmp_path):
    tour = ROOT / "notebooks" / "00_tour.ipynb"
    outcome = execute.execute(tour, "00_tour", tmp_path)
    assert not outcome.problem and (tmp_path / "00_tour.ipynb").exists()


def test_unknown_names_and_an_empty_course_get_a_sentence(tmp_path, capsys):
    assert cli.main(["notebooks", "course", "--root", str(tmp_path)]) == 1
    assert "there are no notebooks to execute" in capsys.readouterr().err
    source = tmp_path / "notebooks" / "source" / "01_demo.py"
    source.parent.mkdir(parents=True)
    source.write_text(HEAD, encoding="utf-8")
    build.build(source, tmp_path)
    assert cli.main(["notebooks", "course", "--root", str(tmp_path), "02_demo"]) == 1
    assert "there is no notebook '02_demo': the notebooks are 01_demo" in capsys.readouterr().err
    assert not (tmp_path / "build").exists()
