"""``fsdl-course capstone grade FOLDERS --out DIR``: every folder, in several rounds, with feedback."""

import csv
import html
import json
from dataclasses import dataclass
from pathlib import Path

from fsdl_course.capstone import brief, decision, hand_in, points, practice
from fsdl_course.capstone.verdicts import CriterionVerdict
from fsdl_course.grading.submissions import slug
from fsdl_deploy import files

ROUNDS = 3


@dataclass(frozen=True)
class Graded:
    """A student's verdicts over all rounds; ``problem`` where the folder could not be started at all."""

    student: str
    verdicts: list[CriterionVerdict]
    problem: str = ""

    @property
    def points(self) -> int:
        """The points of what was held in every round."""
        return practice.earned(self.verdicts)


def worst(rounds: list[list[CriterionVerdict]]) -> list[CriterionVerdict]:
    """For each criterion the worst verdict of all rounds: broken, then unknown, then held."""
    order = (points.BROKEN, points.UNKNOWN, points.HELD)
    return [min(same, key=lambda v: order.index(v.verdict)) for same in zip(*rounds, strict=True)]


def grade_one(folder: Path, seed: int, rounds: int, out: Path) -> Graded:
    """All rounds of a folder, whose name is the student's; evidence below ``out``."""
    student = folder.name
    try:
        verdicts = [
            practice.judged(folder, brief.seed_of(student), seed + number, out=out / f"round{number + 1}")
            for number in range(rounds)
        ]
    except hand_in.HandInError as problem:
        return Graded(student, [], str(problem))
    return Graded(student, worst(verdicts))


def page(graded: Graded) -> str:
    """The feedback on a folder as HTML; nothing in it is the student's markup."""
    rows = []
    for criterion in points.TABLE:
        verdict = next((v for v in graded.verdicts if v.criterion == criterion.name), None)
        name, why = (verdict.verdict, verdict.why) if verdict else (points.BROKEN, graded.problem)
        earned = criterion.points if name == points.HELD else 0
        summary = "\n".join(json.dumps(event) for event in verdict.evidence) if verdict else ""
        cells = (criterion.name, name, f"{earned} of {criterion.points}", criterion.held, why)
        evidence = f"<pre>{html.escape(summary)}</pre>" if summary else ""
        rows.append(
            "<tr>" + "".join(f"<td>{html.escape(c)}</td>" for c in cells) + f"<td>{evidence}</td></tr>"
        )
    text = html.escape(brief.brief_of(brief.seed_of(graded.student)).text())
    head = "".join(
        f"<th scope=col>{name}</th>"
        for name in ("criterion", "verdict", "points", "held if", "why", "evidence")
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8">'
        f"<title>Lab 10: {html.escape(graded.student)}</title>"
        "<style>body{font-family:sans-serif;margin:2em}td,th{border:1px solid #999;padding:.3em;"
        "text-align:left;vertical-align:top}table{border-collapse:collapse}pre{white-space:pre-wrap;max-width:40em}</style>"
        f"<h1>{html.escape(graded.student)}: {graded.points} of {points.TOTAL}</h1><p>{text}</p>"
        f"<table><tr>{head}</tr>{''.join(rows)}</table></html>\n"
    )


def add_arguments(parser) -> None:
    parser.add_argument("folders", metavar="FOLDERS", help="a folder with a folder for each student")
    parser.add_argument("--out", required=True, metavar="DIR", help="scores.csv, feedback and evidence")
    parser.add_argument("--seed", type=int, required=True, help="of the hidden replay: keep it to yourself")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"replays of each (default: {ROUNDS})")


def main(args) -> int:
    folders = sorted(path for path in Path(args.folders).iterdir() if path.is_dir() and not path.is_symlink())
    if not folders:
        raise ValueError(f"there is no student's folder in {args.folders}")
    if args.rounds < 1 or args.seed < 0:
        raise ValueError("--rounds is at least 1, and --seed a whole number from 0 up")
    out = Path(args.out)
    (out / "feedback").mkdir(parents=True, exist_ok=True)
    table = [["student", *(criterion.name for criterion in points.TABLE), "points", "decision"]]
    records = decision.into_table(folders, out)
    for folder in folders:
        graded = grade_one(folder, args.seed, args.rounds, out / "evidence" / slug(folder.name))
        files.write(out / "feedback" / f"{slug(folder.name)}.html", page(graded))
        named = {verdict.criterion: verdict.verdict for verdict in graded.verdicts}
        table.append(
            [
                folder.name,
                *(named.get(c.name, points.BROKEN) for c in points.TABLE),
                str(graded.points),
                "" if records[folder.name] is None else f"{records[folder.name]:g}",
            ]
        )
        print(f"{files.printable(folder.name)}: {graded.points} of {points.TOTAL} {graded.problem}")
        with (out / "scores.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(table)
    return 0
