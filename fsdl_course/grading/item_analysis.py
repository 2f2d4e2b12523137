"""How hard each question was: the share of hand-ins that got each part right, and the case that most fail.

A part's first case that failed is known for each hand-in. Hand-ins that could not be read are left out.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from fsdl_course.grading.pages import escaped
from fsdl_course.grading.points import earned
from fsdl_course.grading.tables import cell, text_of
from fsdl_deploy import files

HEADER = ["lab", "question", "part", "cases", "max", "hand-ins", "right", "share right", "mean points"]
HEADER += ["fails most", "how often", "and then"]


@dataclass(frozen=True)
class ItemRow:
    """A question (``part`` "") or one of its parts, over all hand-ins of a lab that could be read."""

    lab: str
    question: str
    part: str
    public: bool | None
    max: int
    hand_ins: int
    right: int
    mean: float
    case: str = ""  # the one that fails first most often
    often: int = 0
    problem: str = ""

    @property
    def share(self) -> float:
        return self.right / self.hand_ins


def item_rows(results: list[dict]) -> list[ItemRow]:
    """A row for each question, then one for each of its parts, lab by lab."""
    rows = []
    for lab in sorted({result["lab"] for result in results}):
        graded = [result for result in results if result["lab"] == lab and not result["problem"]]
        for number in range(max((len(result["questions"]) for result in graded), default=0)):
            questions = [result["questions"][number] for result in graded if result["questions"]]
            rows.append(_of_question(lab, questions))
            for part in range(len(questions[0]["parts"])):
                rows.append(_of_part(lab, questions[0]["id"], [each["parts"][part] for each in questions]))
    return rows


def _of_question(lab: str, questions: list[dict]) -> ItemRow:
    points = [earned(question) for question in questions]
    first = questions[0]
    right = sum(each >= first["max"] for each in points)
    mean = sum(points) / len(points)
    return ItemRow(lab, first["id"], "", None, first["max"], len(points), right, mean)


def _of_part(lab: str, question: str, parts: list[dict]) -> ItemRow:
    """One part: whatever it is worth, it is right or it is not."""
    first, wrong = parts[0], [part for part in parts if part["problem"]]
    failed = Counter(_case(part) for part in wrong)
    # Of two as often, the first by its text: the same results give the same table.
    case, often = min(failed.items(), key=lambda item: (-item[1], item[0]), default=("", 0))
    problems = Counter(part["problem"] for part in wrong if _case(part) == case)
    problem = min(problems.items(), key=lambda item: (-item[1], item[0]), default=("", 0))[0]
    right = len(parts) - len(wrong)
    mean = sum(part["points"] for part in parts) / len(parts)
    values = (first["name"], first["public"], first["max"], len(parts), right, mean, case, often, problem)
    return ItemRow(lab, question, *values)


def _case(part: dict) -> str:
    if part["public"]:
        return part["call"] or part["problem"]
    return f"private case {part['case']}" if part.get("case") else "a private case"


def write(rows: list[ItemRow], out: Path) -> None:
    """``parts.csv``: for a spreadsheet."""
    lines = [
        [
            *(row.lab, row.question, cell(row.part or "all of it")),
            {True: "public", False: "private", None: ""}[row.public],
            *(row.max, row.hand_ins, row.right, f"{row.share:.3f}", f"{row.mean:.2f}"),
            *(cell(row.case), row.often or "", cell(row.problem)),
        ]
        for row in rows
    ]
    files.write(out / "parts.csv", text_of(HEADER, lines))


def page_part(rows: list[ItemRow]) -> str:
    """The rows of one lab, as a table of the class's page."""
    lines = ["<tr><th>question</th><th>part</th><th class=n>right</th><th>the case that fails most</th></tr>"]
    for row in rows:
        part = escaped(row.part) if row.part else "<b>all of it</b>"
        case = f"<code>{escaped(row.case)}</code>, {row.often} times: {escaped(row.problem)}" * bool(row.case)
        lines.append(
            f"<tr><td>{escaped(row.question)}</td><td>{part}</td>"
            f"<td class=n>{row.right} of {row.hand_ins}</td><td>{case}</td></tr>"
        )
    return f"<table>{''.join(lines)}</table>"
