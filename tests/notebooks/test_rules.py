"""The notebooks' contract: a good notebook keeps it, and each breach is found by the rule made for it."""

import contextlib
import json
import subprocess
from pathlib import Path

import nbformat
import pytest

from fsdl_course import cli
from fsdl_course.notebooks import conversion, outputs, rules, rules_portable
from fsdl_deploy.paths import ROOT

FIXTURES = ROOT / "tests" / "fixtures" / "notebooks"
LESSON = (FIXTURES / "lesson.py").read_text(encoding="utf-8")
README = """# A course

| lesson | minutes | what |
|---|---|---|
| [The tour](notebooks/00_tour.ipynb) | 10 | all |
| [The batch](notebooks/01_batch.ipynb) | 15 | batch |
"""
TOOLS = """# Tools

| tool | minutes |
|---|---|
| [A tool](tool.ipynb) | 15 min |
"""
OUTPUT = nbformat.v4.new_output("stream", name="stdout", text="4 packets\n")
ERROR = nbformat.v4.new_output("error")


@pytest.fixture
def course(tmp_path):
    """A course's folder; ``write`` makes one of its notebooks, ``problems`` checks it."""

    class Course:
        root = tmp_path

        def write(self, text: str = LESSON, name: str = "01_batch", change=lambda notebook: None) -> Path:
            path = tmp_path / "notebooks" / f"{name}.ipynb"
            source = tmp_path / "notebooks" / "source" / f"{name}.py"
            for file in (path, source):
                file.parent.mkdir(parents=True, exist_ok=True)
            source.write_text(text, encoding="utf-8")
            notebook = conversion.read_source(source, name)
            for cell in notebook.cells:
                if outputs.COMPARED in cell.metadata.get("tags", ()) and "print(" in cell.source:
                    cell.outputs = [nbformat.from_dict(OUTPUT)]
            change(notebook)
            path.write_text(json.dumps(notebook), encoding="utf-8")  # nbformat would repair it
            return path

        def problems(self, path: Path) -> list[rules.Breach]:
            return rules.check(path, tmp_path)

    (tmp_path / "README.md").write_text(README, encoding="utf-8")
    tools = tmp_path / "notebooks" / "tools" / "README.md"
    tools.parent.mkdir(parents=True, exist_ok=True)
    tools.write_text(TOOLS, encoding="utf-8")
    for linked in ("00_tour.ipynb", "picture.png"):
        (tmp_path / "notebooks" / linked).touch()
    return Course()


@pytest.fixture
def whole_course(course):
    course.write()
    tour = LESSON.replace("## Where the model sits", "## The map").replace("Minutes:** 15", "Minutes:** 10")
    course.write(tour.replace("## When it fails", "## Mistakes"), "00_tour")
    course.write(LESSON.replace("](00_", "](../00_").replace("](picture", "](../picture"), "tools/tool")
    return course


@pytest.mark.parametrize("name", ["00_tour", "01_batch", "tools/tool"])
def test_good_notebook_keeps_the_contract(whole_course, name):
    assert whole_course.problems(whole_course.root / "notebooks" / f"{name}.ipynb") == []


def test_report_passes_a_good_course_and_says_how_many(whole_course, capsys):
    assert cli.main(["notebooks", "check", "--root", str(whole_course.root)]) == 0
    assert "3 notebooks checked against the contract, 0 problems" in capsys.readouterr().out


FAILS = "# %% [markdown]\n# ## When it fails"


def code(text):
    """Put one more code cell with its prose at the end of the steps."""
    return FAILS, f"# %% [markdown]\n# Why.\n\n# %%\n{text}\n\n{FAILS}"


def prose(text):
    return "# A figure shows them.", f"# A figure shows them. {text}"


EMOJI = (0x2705, 0x274C, 0x26A0, 0x2B50, 0xFE0F, 0x1F31F, 0x1F4DD, 0x1FAE0)

# fmt: off
# rule, part of the message, what to replace, by what
BREACHES = [
    ("title", "starts with the title", "# # The batch: last night's cards\n#\n", ""),
    ("title", "one title", *prose("\n# # Another title")),
    ("header", "**Minutes:**", "**Minutes:** 15 · ", ""),
    ("header", "**Minutes:**", "**Minutes:** 15", "**Minutes:** some"),
    ("header", "**Minutes:**", "[the tour](00_tour.ipynb) · **Truth", "· **Truth"),
    ("header", "the truth is one of", "**Truth:** runs", "**Truth:** mostly"),
    ("frame", "'## The need' is missing", "# ## The need\n", "# ## Story\n"),
    ("frame", "'## Take-aways' is missing", "# ## Take-aways\n", ""),
    ("frame", "in this order", "# ## You will learn", "# ## Extra\n#\n# ## You will learn"),
    ("frame", "in this order", "# ## Where to go next", "# ## Extra\n#\n# ## Where to go next"),
    ("frame", "stand the steps", "# ## One night", "# ### One night"),
    ("learning goals", "not 2", "# - when it fails\n", ""),
    ("learning goals", "not 6", "# - when it fails\n", "# - a\n# - b\n# - c\n# - d\n"),
    ("diagram", "```mermaid", "```mermaid", "```text"),
    ("failures measured", "running code",
     "# %%\nempty = [packet for packet in packets if packet == 0]\nassert not empty\n", ""),
    ("questions", "not 1",
     "# <details><summary>Why packets?</summary>A failure loses only one.</details>\n", ""),
    ("questions", "is closed", "one.</details>", "one.</details>\n# <details><summary>More?</summary>"),
    ("questions", "stands in the page as it is", "A failure loses", "A *failure* loses"),
    ("questions", "an answer", "A failure loses only one.", ""),
    ("endings", "bullets", "# - Batches are simple.", "# Batches are simple."),
    ("endings", "links to something",
     "# [The tour](00_tour.ipynb), or back [to the start](#One-night).", "# Go."),
    ("prose before code", "prose cell", *code("number = 1\n\n# %%\nother = 2")),
    ("cell kinds", "not raw", *code("number = 1\n\n# %% [raw]\n# text")),
    ("cell kinds", "empty", *code("number = 1\n\n# %% [markdown]\n")),
    ("unfinished", "TODO", *prose("TODO: more")),
    ("unfinished", "TODO", *code("number = 1  # TODO: measure")),
    ("tags", "'nbval-check'", 'tags=["nbval-check-output"]', 'tags=["nbval-check"]'),
    (
        "stations",
        "'packets' comes from a cell tagged station:grpc",
        'tags=["nbval-check-output"]',
        'tags=["nbval-check-output", "station:grpc"]',
    ),
    ("stations", "tag its cells station:grpc", "assert not empty", 'ensure("grpc")'),
    ("outputs", "has no output", 'print(f"{len(packets)} packets")', "pass"),
    ("links", "'02_nowhere.ipynb' leads to no file", *prose("[next](02_nowhere.ipynb)")),
    ("links", "'../../outside' leads to no file", *prose("[next](../../outside)")),
    ("links", "no heading", "(#One-night)", "(#Another-night)"),
    ("pictures", "alternative text", "![a packet of cards]", "![ ]"),
    ("pictures", "alternative text", *prose("<img src='picture.png'>")),
    ("pictures", "alternative text", *prose("<img src='picture.png' alt=''>")),
    ("parameters", "not 0", 'tags=["parameters"]', ""),
    ("parameters", "not 2", 'tags=["nbval-check-output"]', 'tags=["nbval-check-output", "parameters"]'),
    ("parameters", "'CARDS_A_NIGHT = 5 if FAST else 20'",
     "CARDS_A_NIGHT = 20", "CARDS_A_NIGHT = 5 if FAST else 20"),
    ("parameters", "'import os'", "CARDS_A_NIGHT = 20", "import os\nCARDS_A_NIGHT = 20"),
    ("parameters", "hold FAST = True", "FAST = True\n", ""),
    ("parameters", "FAST is True", "FAST = True\n", "FAST = False\n"),
    ("prose stays portable", "'/home'", *prose("See /home/somebody/cards.")),
    ("prose stays portable", "port 8000", *prose("Open http://localhost:8000/docs.")),
    ("prose stays portable", "package registry", *prose("It comes from https://registry.example/cards.")),
    *[("prose stays portable", "emoji font", *prose(f"A sign: {chr(sign)}")) for sign in EMOJI],
    ("listed", "15 minutes", "**Minutes:** 15", "**Minutes:** 25"),
]
# fmt: on
CODE_BREACHES = [
    ("16 lines of code", "\n".join(f"number = {n}" for n in range(16))),
    ("40 lines of code", "; ".join(f"number = {n}" for n in range(40))),
    ("16 lines of code", "\n".join("if True: number = 1" for _ in range(8))),
    ("may fail unnoticed", "!ls"),
    ("may fail unnoticed", "files = !ls"),
    ("may fail unnoticed", "!!ls"),
    ("may fail unnoticed", "%sx ls"),
    ("may fail unnoticed", "%%bash\nls"),
    ("may fail unnoticed", "%%sh\nls"),
    ("may fail unnoticed", "import os\nos.system('ls')"),
    ("nothing is installed", "%pip install torch"),
    ("nothing is installed", "%conda list"),
    ("nothing is installed", "import sys\ncommand = [sys.executable, '-m', 'pip', 'install', 'torch']"),
    ("nothing is installed", "command = ['pip', '-q', 'install', 'torch']"),
    ("nothing is installed", "create_process('uv', 'pip', 'install', 'torch')"),
    ("nothing is installed", "import pip\npip.main(['install', 'torch'])"),
    (
        "nothing is installed",
        'import subprocess\nsubprocess.run("pip install torch", shell=True, check=True)',
    ),
    ("'/tmp'", 'open("/tmp/cards.png")'),
    ("'/root'", "cards = '/root/cards'"),
    ("C:", r'open("C:\\cards.png")'),
    ("the port 8080", 'url = "http://127.0.0.1:8080/read"'),
    ("'/data/cards.csv'", "open('/data/cards.csv')"),
    ("'/data/'", "table = f'/data/{month}.csv'"),
    ("'/anywhere/cards.csv'", "pandas.read_csv('/anywhere/cards.csv')"),
    ("'/anywhere'", "import os\nos.path.join('/anywhere', 'cards')"),
    ("'/anywhere/'", "open('/anywhere/' + name)"),
    ("'/anywhere'", "import subprocess\nsubprocess.run(['ls'], cwd='/anywhere', check=True)"),
    ("'C:/Users/me/cards.csv'", "table = 'C:/Users/me/cards.csv'"),
    ("'/Volumes/cards'", "folder = '/Volumes/cards'"),
    ("'/app/models'", "folder = '/app/models'"),
    ("'~/cards'", "folder = '~/cards'"),
    ("'~'", "from pathlib import Path\nPath('~')"),
    ("no fixed port", "door.bind(('127.0.0.1', 8000))"),
    ("no fixed port", "door.bind(('', 8000))"),
    ("no fixed port", "uvicorn.run(app, '0.0.0.0', 8000)"),
    ("no fixed port", "server.start(port='8000')"),
    ("no fixed port", "settings = {'HTTP_PORT': '8000'}"),
    ("no fixed port", "settings['PORT'] = '8000'"),
    ("no fixed port", 'command = ["serve", "--http-port", "8080"]'),
    ("no fixed port", 'command = ["serve", "--port=8080"]'),
    ("no fixed port", "server.start(port=8080)"),
    ("no fixed port", "SERVER_PORT = 8080"),
    ("no fixed port", 'command = ["serve", "--port", "8080"]'),
    *[("emoji font", f"print('{chr(sign)}')") for sign in EMOJI],
    ("package registry", 'url = "https://wheels.example/simple/cards"'),
    ("no sleep", "import time\ntime.sleep(5)"),
    ("no sleep", "from time import sleep\nsleep(5)"),
    ("no sleep", "import subprocess\nsubprocess.run('sleep 5', shell=True, check=True)"),
    ("no sleep", "from time import sleep as wait\nwait(5)"),
    ("no sleep", "import time\nwait = time.sleep\nwait(5)"),
    ("no sleep", "import asyncio\nawait asyncio.sleep(1)"),
    ("no valid Python", "number = = 1"),
    ("'df2' says nothing", "df2 = 1"),
    ("'result2' says nothing", "result2 = 1"),
    ("'d' is a single letter", "d = 1"),
    ("'f' is a single letter", "with open('x') as f:\n    pass"),
    ("'g' is a single letter", "def g():\n    pass"),
    ("says in a sentence", "figures.show(figure)"),
    ("says in a sentence", 'figures.cards([], [], alt=" ")'),
    ("not plt.show()", "plt.show()"),
    ("in the cell that makes it", "figure, axes = plt.subplots()"),
    ("in the cell that makes it", "import matplotlib\nmatplotlib.pyplot.figure()"),
    ("figures.cards", "from IPython.display import Image\nImage('picture.png')"),
    ("alternative text", "page = '<img src=x>'"),
]


@pytest.mark.parametrize(("rule", "message", "old", "new"), BREACHES, ids=lambda value: str(value)[:30])
def test_breach_is_found_by_its_rule_alone(course, rule, message, old, new):
    assert LESSON.count(old) == 1
    problems = course.problems(course.write(LESSON.replace(old, new)))
    assert {problem.rule for problem in problems} == {rule}
    assert any(message in problem.message for problem in problems), problems


@pytest.mark.parametrize(("message", "text"), CODE_BREACHES, ids=lambda value: str(value)[:30])
def test_breach_in_code_is_found_with_the_number_of_its_cell(course, message, text):
    path = course.write(LESSON.replace(*code(text)))
    number = 1 + next(n for n, cell in enumerate(conversion.read(path).cells) if cell.source == text)
    problems = course.problems(path)
    assert len(problems) == 1 and message in problems[0].message, problems
    assert str(problems[0]).startswith(f"notebooks/01_batch.ipynb, cell {number}: ")


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(["# a comment"] * 9 + [""] * 9 + [f"number = {n}" for n in range(15)]),
        'answer = client.get(f"{server.url}/read", timeout=5)',
        "totals = {d: n for d, n in [(1, 2)]}\nfor c in 'abc':\n    x, y = 1, 2",
        'server = Server(["serve", "--port", "{port}"], ready="/readyz", port=0)',
        'print("http://127.0.0.1:0", "a/home/b", "a~/tmp", "~ 3 s")',
        "client.get('/data/x')\nServer(command, ready='/app/health')",
        "table = f'{server.url}/data/{month}'\npath = server.url + '/app/x'",
        "path = '/v2/models/meter-reader/infer'\npaths = ['/readyz', '/docs', '/readings/2026-10/C1']",
        "door.bind(('127.0.0.1', 0))\ncommand = ['--port', '{port}', '--install', 'pip']",
        "pauses = [1, 2]\nEvent().wait(0.1)",
        "%time number = 1",
        "await client.get()",
        "import PIL.Image\npicture = PIL.Image.open('picture.png')",
        "def draw():\n    figure, axes = plt.subplots()\n    figures.show(figure, alt=f'{n} cards')",
    ],
)
def test_code_that_is_fine_is_left_alone(course, text):
    assert course.problems(course.write(LESSON.replace(*code(text)))) == []


def _cell(notebook, tagged, **changes):
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    cells[1 if tagged else 2].update(changes)


@pytest.mark.parametrize(
    ("rule", "message", "change"),
    [
        ("outputs", "execution count", lambda notebook: _cell(notebook, False, execution_count=3)),
        ("outputs", "error output", lambda notebook: _cell(notebook, True, outputs=[ERROR])),
        ("outputs", "only for cells tagged", lambda notebook: _cell(notebook, False, outputs=[OUTPUT])),
        ("ids", "not unique", lambda notebook: notebook.cells[3].update(id=notebook.cells[2]["id"])),
    ],
)  # fmt: skip
def test_breach_in_what_is_stored(course, rule, message, change):
    problems = course.problems(course.write(change=change))
    assert {problem.rule for problem in problems} == {rule} and message in problems[0].message, problems


def test_minutes_that_are_off_are_a_breach_once_a_run_is_on_record(course):
    path = course.write()
    (course.root / "slides").mkdir()
    (course.root / "slides/lessons.json").write_text('{"lessons": {"01_batch": {"seconds": 6000}}}')
    ((rule, message),) = [(problem.rule, problem.message) for problem in course.problems(path)]
    assert rule == "minutes as computed" and "notebooks minutes --write" in message


def test_every_rule_has_a_notebook_that_fails_it():
    tested = {rule for rule, *_ in BREACHES} | {
        "outputs",
        "ids",
        "code stays small and portable",
        "figures come from records",
        "minutes as computed",
    }
    assert tested == {rule.__name__.replace("_", " ") for rule in rules.RULES}


def test_notebook_missing_from_the_readme_and_readme_row_without_notebook(whole_course, capsys):
    course = whole_course
    readme = course.root / "README.md"
    readme.write_text(README.replace("01_batch", "02_batch"), encoding="utf-8")
    assert rules.report(course.root, []) == 1
    out = capsys.readouterr().out
    assert "notebooks/01_batch.ipynb: the table of README.md has no row for this notebook" in out
    assert "README.md: notebooks/02_batch.ipynb does not exist" in out
    readme.write_text(README, encoding="utf-8")
    tools = course.root / "notebooks" / "tools" / "README.md"
    tools.write_text(TOOLS.replace("tool.ipynb", "gone.ipynb"), encoding="utf-8")
    assert rules.report(course.root, []) == 1
    out = capsys.readouterr().out
    assert "tool.ipynb: the table of notebooks/tools/README.md has no row for this notebook" in out
    assert "notebooks/tools/README.md: notebooks/tools/gone.ipynb does not exist" in out
    for table in (readme, tools):
        table.write_text("# A course without a table\n", encoding="utf-8")
    assert rules.report(course.root, []) == 0


def test_empty_notebook_and_damaged_notebook_give_problems_not_tracebacks(course, capsys):
    path = course.write(change=lambda notebook: notebook.cells.clear())
    assert {"title", "header", "frame", "parameters"} <= {problem.rule for problem in course.problems(path)}
    path.write_text("{", encoding="utf-8")
    assert cli.main(["notebooks", "check", "--root", str(course.root)]) == 1
    assert "notebooks/01_batch.ipynb: 01_batch.ipynb is no notebook" in capsys.readouterr().out


def test_template_has_the_whole_frame_and_is_refused_until_it_is_finished(course):
    template = ROOT / "notebooks" / "source" / "tools" / "_template.py"
    path = course.write(template.read_text(encoding="utf-8"), "tools/tool")
    problems = course.problems(path)
    assert {problem.rule for problem in problems} == {"unfinished"}
    finished = template.read_text(encoding="utf-8").replace("TODO", "Done")
    assert course.problems(course.write(finished, "tools/tool")) == []


def test_signs_that_a_plain_font_has_may_stand_anywhere():
    assert not list(rules_portable.in_text("★★☆ ✓ ✗ → ≥ · × – “quoted” ·"))


def test_no_file_of_the_course_needs_an_emoji_font():
    """Built notebooks follow their sources; a Space's page has its emoji from Hugging Face."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    problems_of = {}
    for name in filter(None, listed.decode().split("\0")):
        if name.endswith(".ipynb") or name == "infra/prototype/huggingface-space/README.md":
            continue
        with contextlib.suppress(UnicodeDecodeError, OSError):  # pictures and weights; a file just removed
            if sign := rules_portable.EMOJI.search((ROOT / name).read_text(encoding="utf-8")):
                problems_of[name] = ascii(sign[0])
    assert problems_of == {}
