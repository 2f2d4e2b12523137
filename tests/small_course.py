"""A course of a lesson, a tool and a lab, with all that a site shows of one."""

import json
from pathlib import Path

from lab_cells import answer, check

README = """# Deployment

What the course is.

## Who it is for

For you.

## Two commands

`make lab`, then [the guide](solutions/README.md). [Licence](LICENSE).

## How long it takes

An hour.

## Lessons

| lesson | the need | minutes |
|---|---|---|
| [02 Batch](notebooks/02_batch.ipynb) | by morning | 40 |

## Labs

| lab | what you build | minutes |
|---|---|---|
| [00 A night](labs/lab00/lab00.ipynb) | an upsert | 20 |
"""
TOOLS = """# Tools

| tool | what it is | with lesson | minutes |
|---|---|---|---|
| [Triton](triton.ipynb) | one server, many models | 02 | 15 |
"""
DIAGRAM = '```mermaid\nflowchart LR\n    a["Inbox"] --> m(["Model"])\n```\n'
CARD = "[The card](../models/v2.md#Model-card:-v2)"
WIDE = "| " + " | ".join(f"a_long_name_of_column_{i}" for i in range(12)) + " |\n" + "|---" * 12 + "|\n"


def prose(text: str) -> dict:
    return {"cell_type": "markdown", "id": f"p{abs(hash(text)) % 10**8}", "metadata": {}, "source": text}


def code(text: str, *outputs: dict) -> dict:
    cell = {"cell_type": "code", "id": f"c{abs(hash(text)) % 10**8}", "metadata": {}, "source": text}
    return cell | {"outputs": list(outputs), "execution_count": 1 if outputs else None}


def page(text: str) -> dict:
    return {"output_type": "display_data", "data": {"text/html": text}, "metadata": {}}


def put(path: Path, *cells: dict, **metadata) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    for cell in cells:
        if cell["cell_type"] == "code" and "outputs" not in cell:
            cell |= {"outputs": [], "execution_count": None}
    notebook = {"cells": list(cells), "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(notebook), encoding="utf-8")


def make_course(root: Path) -> Path:
    """Write the course into ``root``; its lesson was executed, its tool was not."""
    (root / "solutions").mkdir(parents=True)
    (root / "models").mkdir()
    (root / "README.md").write_text(README)
    (root / "LICENSE").write_text("Do as you like.\n")
    (root / "solutions/README.md").write_text("# For instructors\n\nBack to [the course](../README.md).\n")
    (root / "models/v2.md").write_text("# Model card: v2\n\nIt reads.\n")
    lesson = [
        prose(
            "# Batch prediction\n\n**Minutes:** 40 · **Prerequisites:** none\n\nA price of $5 and one of $6."
        ),
        prose(f"## Where the model sits\n\nA zebra waits.\n\n{DIAGRAM}\n{CARD}"),
        prose(f"## Questions\n\n<details><summary>Why?</summary>Because.</details>\n\n{WIDE}"),
    ]
    lines = code("print('a very long line')")
    put(root / "notebooks/02_batch.ipynb", *lesson, lines)
    frame = page('<iframe title="page" src="http://127.0.0.1:7860/"></iframe>')
    stream = {"output_type": "stream", "name": "stdout", "text": "seen by the run " * 40}
    run = code("print('a very long line')", stream, frame)
    put(root / "build/course/02_batch.ipynb", *lesson, run, fsdl_run={"seconds": 1.0, "problem": ""})
    tool = prose(
        "# Triton\n\n**Minutes:** 15 · **Prerequisites:** [Batch](../02_batch.ipynb#Where-the-model-sits)"
    )
    put(root / "notebooks/tools/triton.ipynb", tool, code("serve()"))
    (root / "notebooks/tools/README.md").write_text(TOOLS)
    lab = prose(
        "# Lab 00: A night\n\n**Minutes:** 20 · **Prerequisites:** [Batch](../../notebooks/02_batch.ipynb)"
    )
    put(
        root / "labs/lab00/lab00.ipynb",
        lab,
        answer("lab00-q1", "def f(): ..."),
        check("lab00-q1", "check(f)"),
    )
    return root
