"""The layout in CONTRIBUTING.md is what the modules say of themselves, with none left out."""

import json
import re

import pytest

from fsdl_course import cli, layout
from fsdl_deploy.drawing import LEVELS
from fsdl_deploy.paths import ROOT

CONTRIBUTING = (ROOT / layout.FILE).read_text(encoding="utf-8")
HINT = "run `fsdl-course layout`"


def measured(share: float) -> dict:
    """What the record of the models says of one that reads this share of all cards right."""
    return {
        level: {"exact_match": share, "interval": [0.9, 0.99], "cer": 0.01, "cards": 2000} for level in LEVELS
    }


@pytest.fixture
def house(tmp_path):
    """A small repository with a document whose layout is not written yet."""
    files = {
        "fsdl_deploy/__init__.py": '"""Readers. Nothing else is said."""\n',
        "fsdl_deploy/cards.py": '"""Cards (of 2026. vol. 2): drawn with\n``numpy``, then kept."""\n',
        "fsdl_deploy/service/__init__.py": '"""A service."""\n',
        "fsdl_deploy/service/app.py": '"""The app. It listens.\n\nMore of it."""\n',
        "fsdl_deploy/batch/job.py": '"""Is it night? Then it runs."""\n',
        "fsdl_deploy/gone/__pycache__/left.pyc": "",
        "fsdl_course/__init__.py": '"""Checks."""\n',
        "infra/batch/airflow/dag.py": "",
        "infra/batch/logs/today.log": "",
        "CONTRIBUTING.md": f"before\n{layout.MODELS}\n{layout.END_OF_MODELS}\n"
        f"{layout.BEGIN}\nold\n{layout.END}\nafter\n",
        "models/report.json": json.dumps({"measured": {"v2": measured(0.944)}}),
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_the_layout_is_what_the_docstrings_say():
    assert layout.document(CONTRIBUTING) == CONTRIBUTING, HINT


@pytest.mark.parametrize("package", layout.PACKAGES)
def test_no_module_is_missing(package):
    block = CONTRIBUTING.partition(layout.BEGIN)[2].partition(layout.END)[0]
    part = block.partition(f"- **`{package}/`**")[2].partition("\n- ")[0]
    listed = sorted(re.findall(r"^ +- \*\*([a-z_0-9]+)\*\* \S", part, re.MULTILINE))
    modules = sorted(path.stem for path in (ROOT / package).rglob("*.py") if path.stem != "__init__")
    assert modules and listed == modules, HINT


def test_a_line_for_each_module_in_the_order_of_the_lecture(house):
    assert layout.listing(house).splitlines() == [
        "- **`fsdl_deploy/`** Readers",
        "  - **cards** Cards (of 2026. vol. 2): drawn with `numpy`, then kept",
        "  - **`batch/`**",
        "    - **job** Is it night? Then it runs",
        "  - **`service/`** A service",
        "    - **app** The app",
        "- **`fsdl_course/`** Checks",
        "- **`infra/`** Folders by the lecture's steps, and what is in them",
        "  - **`batch/`** airflow",
    ]


def test_the_command_writes_between_the_markers_only(house, capsys):
    words = ["layout", "--root", str(house)]
    assert cli.main([*words, "--check"]) == 1
    changes = capsys.readouterr().out
    assert "-old\n" in changes and "+    - **app** The app\n" in changes
    assert (house / layout.FILE).read_text(encoding="utf-8").count("old") == 1, "--check changes nothing"
    assert cli.main(words) == 0 and "written" in capsys.readouterr().out
    text = (house / layout.FILE).read_text(encoding="utf-8")
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "\nold\n" not in text
    assert cli.main([*words, "--check"]) == 0 and capsys.readouterr().out == ""
    assert cli.main(words) == 0 and "the same already" in capsys.readouterr().out


def test_the_table_of_the_models_is_what_their_record_says(house, capsys):
    words = ["layout", "--root", str(house)]
    cli.main(words)
    assert "| v2 | 94.4% (90.0%–99.0%) |" in (house / layout.FILE).read_text(encoding="utf-8")
    (house / "models/report.json").write_text(json.dumps({"measured": {"v2": measured(0.975)}}))
    assert cli.main([*words, "--check"]) == 1
    assert "+| v2 | 97.5% (90.0%–99.0%) |" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("fsdl_deploy/batch/job.py", "x = 1\n", "fsdl_deploy/batch/job.py has no docstring"),
        (layout.FILE, f"no end\n{layout.BEGIN}\n", "needs the lines"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(house, capsys, file, text, message):
    (house / file).write_text(text, encoding="utf-8")
    assert cli.main(["layout", "--root", str(house)]) == 1
    assert message in capsys.readouterr().err
