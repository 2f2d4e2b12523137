"""``fsdl-course plan``: what to show in each session, how long it takes, where to expect trouble.

The words are an instructor's (``solutions/teaching_plan.toml``); minutes, sections and exercises come from
the notebooks and the labs, so the plan cannot say what is not there.
"""

import argparse
import tomllib
from pathlib import Path

from fsdl_course.capstone import decision, points
from fsdl_course.labs import pages, questions
from fsdl_course.notebooks.lesson import Lesson
from fsdl_deploy import files
from fsdl_deploy.paths import ROOT

SOURCE, PLAN = "solutions/teaching_plan.toml", "solutions/teaching-plan.md"
TALK = 0.5  # of a lesson's minutes, for what is shown in class; the rest is the students' own reading
HEAD = """\
# Teaching plan

What to show in class, where to expect trouble, and how long it takes. `fsdl-course plan` makes this page: the
words are in [teaching_plan.toml](teaching_plan.toml), minutes and exercises come from the notebooks and labs.
A lesson's minutes are for a student who reads and runs it; half of them are shared out among what is shown in
class. A lab's minutes are the sum of its exercises', for somebody who has read the lesson. Where *your* class
is stuck, `grades/parts.csv` says after each run: the share that got each part right, and the case that most
fail.
"""


class PlanError(ValueError):
    """The plan names what is not there; the message says what is."""


def document(root: Path = ROOT) -> str:
    """The plan as Markdown; PlanError if it names what does not exist, or lacks a lesson or a lab."""
    sessions = tomllib.loads((root / SOURCE).read_text(encoding="utf-8"))["session"]
    lessons = {path.stem for path in (root / "notebooks").glob("[0-9]*.ipynb")}
    labs = {path.parent.name for path in (root / "solutions").glob("lab*/questions.py")}
    labs |= set(pages.names(root))
    named = {session.get(key) for session in sessions for key in ("lesson", "lab")}
    if missing := sorted((lessons | labs) - named):
        raise PlanError(f"{SOURCE} says nothing of {', '.join(missing)}")
    rows, parts, minutes = [], [], [0, 0]
    for number, session in enumerate(sessions, 1):
        if "lesson" not in session:
            of_lab, row, part = _capstone(number, session, root)
            minutes, rows, parts = [minutes[0], minutes[1] + of_lab], [*rows, row], [*parts, part]
            continue
        lesson = _lesson(root, session["lesson"])
        of_lesson = int(lesson.header()[1])
        lab = questions.load(root / "solutions" / session["lab"]) if "lab" in session else None
        of_lab = sum(question.minutes for question in lab.questions) if lab else 0
        minutes = [minutes[0] + of_lesson, minutes[1] + of_lab]
        title = lesson.cells[0].source.splitlines()[0].removeprefix("# ")
        rows.append(
            f"| {number} | [{title}](../notebooks/{session['lesson']}.ipynb) | {of_lesson} | "
            f"{session.get('lab', '')} | {of_lab or ''} | {lab.points if lab else ''} |"
        )
        parts.append(_session(number, title, session, lesson, of_lesson, lab, of_lab))
    hours = f"{minutes[0] / 60:.0f} hours of lessons and {minutes[1] / 60:.0f} of labs"
    table = "\n".join(
        ["| session | lesson | minutes | lab | minutes | points |", "|---|---|---|---|---|---|", *rows]
    )
    return f"{HEAD}\n{len(sessions)} sessions: {hours}.\n\n{table}\n\n" + "\n".join(parts)


def _lesson(root: Path, name: str) -> Lesson:
    import nbformat

    path = root / "notebooks" / f"{name}.ipynb"
    if not path.exists():
        raise PlanError(f"{SOURCE}: there is no lesson {name}")
    return Lesson(path, root, nbformat.read(path, 4).cells)


def _capstone(number: int, session: dict, root: Path) -> tuple[int, str, str]:
    """Minutes, row and section of a session that is a lab alone, whose points come from what it does."""
    name = session["lab"]
    title = pages.notebook(name, root).cells[0].source.splitlines()[0].partition(": ")[2]
    minutes, total = pages.minutes(name, root), points.TOTAL + max(decision.RUBRIC)
    row = f"| {number} | [{title}](../labs/{name}/{name}.ipynb) | | {name} | {minutes} | {total} |"
    lines = [f"## {number}. {title}", "", "Show:", "", *(f"- {text}" for text in session["show"]), ""]
    lines += ["Expect trouble:", "", *(f"- {text}" for text in session["lab_trouble"]), ""]
    lines += [
        f"**{name}**, {minutes} minutes, {total} points:",
        "",
        "| criterion | points | held if |",
        "|---|---|---|",
    ]
    lines += [f"| {each.name} | {each.points} | {each.held} |" for each in points.TABLE]
    lines += [f"| {decision.TITLE} | {max(decision.RUBRIC)} | a person grades it, by its rubric |", ""]
    return minutes, row, "\n".join(lines)


def _session(number: int, title: str, session: dict, lesson: Lesson, of_lesson: int, lab, of_lab: int) -> str:
    """One session: a few minutes for each thing shown, then what the lab asks."""
    titles = [section.title for section in lesson.sections()]
    if unknown := [name for name in session["show"] if name not in titles]:
        raise PlanError(
            f"{SOURCE}: {session['lesson']} has no section {unknown[0]!r}: they are {', '.join(titles)}"
        )
    each = max(5, round(of_lesson * TALK / len(session["show"]) / 5) * 5)
    lines = [f"## {number}. {title}", "", f"Show ({each} minutes each):", ""]
    lines += [f"- *{name}*: {why}" for name, why in session["show"].items()]
    lines += ["", "Expect trouble:", "", *(f"- {text}" for text in session["trouble"]), ""]
    if lab:
        lines += [f"**{session['lab']}**, {of_lab} minutes, {lab.points} points:", ""]
        lines += ["| exercise | asks for | level | minutes | points |", "|---|---|---|---|---|"]
        lines += [
            f"| {question.id} | {question.title} | {'★' * question.level} | {question.minutes} | "
            f"{question.points} |"
            for question in lab.questions
        ]
        lines += ["", *(f"- {text}" for text in session["lab_trouble"]), ""]
    return "\n".join(lines)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--check", action="store_true", help="say whether the page is as it would be written")


def main(args: argparse.Namespace) -> int:
    """Write the page; with --check, 1 if it differs."""
    text, path = document(), ROOT / PLAN
    same = path.exists() and path.read_text(encoding="utf-8") == text
    if not (same or args.check):
        files.write(path, text)
    print(
        f"{PLAN}: {'as it should be' if same else 'differs: fsdl-course plan' if args.check else 'written'}"
    )
    return 1 if args.check and not same else 0
