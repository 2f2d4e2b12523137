"""What Windows lacks is nowhere in a student's way: tried on any system, with those parts taken away.

A process of its own each time: modules of Unix cannot be imported in it, its functions and signals are gone.
"""

import subprocess
import sys

from fsdl_deploy.paths import ROOT

WITHOUT = """
import os, signal, socket, subprocess, sys

def take_away():
    for name in "resource fcntl pwd grp termios pty tty syslog".split():
        sys.modules[name] = None
    for name in '''fork forkpty killpg setsid getuid geteuid getgid setuid getpgid wait WNOHANG
                 WIFSIGNALED uname getloadavg sched_getaffinity mkfifo chown register_at_fork'''.split():
        vars(os).pop(name, None)
    for name in "SIGKILL SIGSTOP SIGCONT SIGHUP SIGUSR1 SIGALRM SIGXCPU setitimer alarm".split():
        vars(signal).pop(name, None)
    vars(socket).pop("AF_UNIX", None)
"""


def run(program: str, *arguments: object) -> str:
    words = [sys.executable, "-c", WITHOUT + program, *map(str, arguments)]
    process = subprocess.run(words, capture_output=True, text=True, encoding="utf-8", cwd=ROOT)
    assert process.returncode == 0, process.stderr[-3000:]
    return process.stdout


def test_every_module_of_the_course_can_be_imported():
    # Packages of others have their own ways on Windows: they are imported while everything is there.
    program = """
import importlib, pkgutil
import nbclient, nbgrader.api, onnxruntime, psutil, sqlalchemy, torch, uvicorn
take_away()
import fsdl_course, fsdl_deploy
count = 0
for package in (fsdl_deploy, fsdl_course):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if module.name not in ("fsdl_deploy.labs", "fsdl_deploy.notebooks"):  # former places: they say so
            importlib.import_module(module.name)
            count += 1
print(count)
"""
    assert int(run(program)) > 100


def test_the_answers_of_every_lab_are_checked():
    program = """
take_away()
import json
from pathlib import Path
from fsdl_course.labs.exercise import feedback_on
from fsdl_course.labs.questions import load
tried = 0
for folder in sorted(file.parent for file in Path("labs").glob("lab*/questions.py")):
    lab, expected = load(folder), json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    for question in lab.graded:
        public = [part for part in question.parts if part.public]
        answers = {repr(arguments): value for part in public
                   for arguments, value in zip(part.cases, expected[question.id][part.name], strict=True)}
        name = f"{folder.name}.{question.id}"
        feedback = feedback_on(name, lambda *arguments: answers.get(repr(list(arguments))))
        # What the course itself puts around a function is given cards, and no table has answers for those.
        assert feedback.passed or (question.around and "ModuleNotFoundError" not in str(feedback)), feedback
        tried += 1
print(tried)
"""
    assert int(run(program)) > 10


def test_grading_says_where_it_can_be_done():
    program = """
take_away()
from fsdl_course.labs.backends.backend import SandboxError
from fsdl_course.labs.isolation import open_backend
try:
    open_backend(trusted=True).start(0)
except SandboxError as error:
    print(error)
"""
    assert "start a container engine, or grade in WSL" in run(program)


def test_a_large_hand_in_is_read_without_bounds_on_memory(tmp_path):
    notebook = tmp_path / "lab02.ipynb"
    notebook.write_text(
        '{"cells": [{"cell_type": "code", "source": "lab = 2"}], "metadata": {"fsdl_lab": "lab02"}}'
    )
    program = """
take_away()
from fsdl_course.grading import notebook_file
notebook_file.main()
"""
    assert '"lab": "lab02"' in run(program, notebook, 2**31)
