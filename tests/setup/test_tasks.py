"""The commands' own logic; what they call has tests of its own."""

import ast
import subprocess
import sys

import pytest
from piped import to_nobody

from fsdl_deploy.paths import ROOT

sys.path.insert(0, str(ROOT))
import tasks
from fsdl_course.setup import pythons


@pytest.mark.parametrize("file", ["tasks.py", "fsdl_course/setup/pythons.py"])
def test_it_loads_in_an_old_python(file):
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"), feature_version=(3, 6))
    imported = {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module.partition(".")[0] for node in tree.body if isinstance(node, ast.ImportFrom)}
    assert imported <= set(sys.stdlib_module_names)


def test_an_unsupported_python_without_another_is_told_in_one_sentence(monkeypatch, capsys):
    monkeypatch.setattr(pythons, "SUPPORTED", ((3, 99),))
    monkeypatch.setattr(pythons, "fitting_python", lambda: None)
    monkeypatch.setattr(pythons, "of_uv", lambda version, fetch: "/fetched" if fetch else None)
    assert tasks.main(["setup"]) == 1
    message = capsys.readouterr().err.strip()
    assert "python3 tasks.py setup --fetch-python" in message and message.count("\n") == 0
    monkeypatch.setattr(pythons, "of_uv", lambda version, fetch: None)
    monkeypatch.setenv(pythons.FETCH, "1")
    assert tasks.main(["setup"]) == 1
    message = capsys.readouterr().err.strip()
    assert "uv could not fetch one" in message and message.count("\n") == 0


@pytest.mark.parametrize("way", ["word", "variable"])
def test_a_python_is_fetched_on_request(way, monkeypatch):
    monkeypatch.setattr(pythons, "SUPPORTED", ((3, 99),))
    monkeypatch.setattr(pythons, "fitting_python", lambda: None)
    monkeypatch.setattr(pythons, "of_uv", lambda version, fetch: "/fetched" if fetch else None)
    monkeypatch.setattr(tasks, "replace", lambda command: command)
    monkeypatch.setenv(pythons.FETCH, "1" if way == "variable" else "")
    words = ["station", "a", *([tasks.FETCH] if way == "word" else [])]
    assert tasks.main(words) == ["/fetched", str(ROOT / "tasks.py"), "station", "a"]
    assert pythons.wants_fetching()  # also in what it became


def test_an_unsupported_python_hands_over(monkeypatch):
    monkeypatch.setattr(pythons, "SUPPORTED", ((3, 99),))
    monkeypatch.setattr(pythons, "fitting_python", lambda: "python3.99")
    monkeypatch.setattr(tasks, "replace", lambda command: command)
    assert tasks.main(["station", "a"]) == ["python3.99", str(ROOT / "tasks.py"), "station", "a"]


def test_unknown_commands_are_shown_the_known_ones(capsys):
    assert tasks.main(["launch"]) == 2
    printed = capsys.readouterr().out
    assert all(f"\n  {name} " in printed for name in tasks.COMMANDS)


@pytest.mark.skipif(sys.platform == "win32", reason="a pipe without a reader is another error there")
def test_output_that_nobody_reads_is_no_error():
    process = to_nobody([sys.executable, "tasks.py", "bogus"], cwd=ROOT)
    assert (process.returncode, process.stderr) == (141, "")


def test_words_for_jupyterlab_go_through_make():
    command = ["make", "-n", "--no-print-directory", "lab", "ARGS=--no-browser --port 9999", "PYTHON=python3"]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "python3 tasks.py lab --no-browser --port 9999"
    assert 'make lab ARGS="--no-browser --port 9999"' in tasks.__doc__


def test_make_knows_every_command():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (phony,) = [line for line in makefile.splitlines() if line.startswith(".PHONY")]
    assert set(phony.split()[1:]) == set(tasks.COMMANDS)


def test_a_set_up_that_cannot_go_on_is_one_sentence(monkeypatch, capsys):
    from fsdl_course.setup.failures import SetupError

    def fail(words):
        raise SetupError("The disk is full: free a few gigabytes.")

    monkeypatch.setitem(tasks.COMMANDS, "setup", fail)
    monkeypatch.setattr(tasks, "in_own_environment", lambda: False)
    assert tasks.main(["setup"]) == 1
    assert capsys.readouterr().err.strip() == "The disk is full: free a few gigabytes."


def test_lab_opens_the_working_copy_and_says_what_it_kept(tmp_path, monkeypatch, capsys):
    from fsdl_course.workspace import copies

    tour = tmp_path / "notebooks" / "00_tour.ipynb"
    tour.parent.mkdir()
    tour.write_text('{"cells": [], "metadata": {}}')
    monkeypatch.setattr(tasks, "ROOT", str(tmp_path))
    monkeypatch.setattr(tasks, "in_course", lambda words, environ: (["python", "-m", *words], environ))
    monkeypatch.setattr(tasks, "replace", lambda command, environ: command)
    monkeypatch.setattr(copies.Changes, "sentences", lambda self: [f"{len(self.added)} made"])
    monkeypatch.chdir(tmp_path)
    command = tasks.lab(["--no-browser"])
    assert (tmp_path / "work/notebooks/00_tour.ipynb").exists()
    assert command[:3] == ["python", "-m", "jupyterlab"] and command[-1] == "--no-browser"
    (address,) = [word for word in command if "default_url" in word]
    assert address.endswith("/tree/work/notebooks/00_tour.ipynb")  # "?token=…" is put behind it
    assert "1 made" in capsys.readouterr().out


def test_a_working_copy_that_cannot_be_written_is_one_sentence(tmp_path, monkeypatch, capsys):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "00_tour.ipynb").write_text('{"cells": [], "metadata": {}}')
    (tmp_path / "work").touch()
    monkeypatch.setattr(tasks, "ROOT", str(tmp_path))
    monkeypatch.setattr(tasks, "in_own_environment", lambda: False)
    monkeypatch.setattr(tasks, "in_course", lambda words, environ: (words, environ))
    assert tasks.main(["lab"]) == 1
    error = capsys.readouterr().err.strip()
    assert "work/ cannot be written" in error and error.count("\n") == 0


def test_clean_removes_the_environments_only_if_asked(monkeypatch):
    from fsdl_course.setup import cleaning

    asked = []
    monkeypatch.setattr(cleaning, "clean", lambda environments: asked.append(environments))
    assert tasks.clean([]) == 0
    assert tasks.clean(["--all"]) == 0
    assert asked == [False, True]
