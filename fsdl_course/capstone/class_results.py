"""What the grader of lab 10 leaves for the course: a result as of any other lab, for totals and feedback."""

import datetime
import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from fsdl_course.capstone import decision, points
from fsdl_course.capstone.points import HELD, UNKNOWN
from fsdl_course.capstone.verdicts import CriterionVerdict
from fsdl_course.grading.submissions import slug
from fsdl_deploy import files

LAB = "lab10"


def place(out: Path, student: str) -> Path:
    """The file of a student's result."""
    return out / "results" / f"{LAB}-{slug(student)}.json"


def digest(folder: Path, seed: int, rounds: int) -> str:
    """Of all that a verdict depends on: the files of the hand-in, the seed, the rounds."""
    summary = hashlib.sha256(f"{seed} {rounds}".encode())
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            summary.update(f"{path.relative_to(folder)!r} {content}\n".encode())
    return summary.hexdigest()


def kept(out: Path, student: str, key: str) -> list[CriterionVerdict]:
    """The verdicts of an earlier run on the same files; [] if there are none, or one of them is unknown."""
    try:
        document = json.loads(place(out, student).read_text(encoding="utf-8"))
        verdicts = [CriterionVerdict(**row) for row in document["verdicts"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    unknown = any(verdict.verdict == UNKNOWN for verdict in verdicts)
    return [] if unknown or document.get("digest") != key else verdicts


def result(folder: Path, verdicts: list[CriterionVerdict], problem: str = "") -> dict:
    """The result of a hand-in as ``totals`` reads it: a question for each criterion, the record as open."""
    by_name = {verdict.criterion: verdict for verdict in verdicts}
    questions = []
    for criterion in points.TABLE:
        verdict = by_name.get(criterion.name)
        earned = criterion.points if verdict and verdict.verdict == HELD else 0
        why = f"{verdict.verdict}: {verdict.why}" if verdict else problem
        part = {
            "name": criterion.held,
            "points": earned,
            "max": criterion.points,
            "public": False,
            "call": "",
        }
        questions.append(
            {
                "id": criterion.name,
                "title": "",
                "function": criterion.name,
                "points": earned,
                "max": criterion.points,
                "parts": [{**part, "problem": "" if earned else why}],
            }
        )
    dates = [path.lstat().st_mtime for path in (folder, *folder.rglob("*"))]
    handed_in = datetime.datetime.fromtimestamp(max(dates), datetime.UTC).isoformat(timespec="seconds")
    return {
        "student": folder.name, "person": folder.name, "lab": LAB, "origin": folder.name,
        "handed_in": handed_in, "dated": "the newest file", "marked_late": False,
        "problem": problem, "notes": [], "questions": questions, "open": [decision.open_answer(folder)],
        "score": sum(question["points"] for question in questions), "max": points.TOTAL,
    }  # fmt: skip


def write(out: Path, outcome: dict, verdicts: list[CriterionVerdict], key: str) -> None:
    """Keep a result where ``totals`` and the next run find it."""
    path = place(out, outcome["student"])
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"digest": key, "result": outcome, "verdicts": [asdict(verdict) for verdict in verdicts]}
    files.write(path, json.dumps(document, indent=1) + "\n")
