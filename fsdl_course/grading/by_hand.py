"""What a person gave: points, comments and extra credit, in the table of open answers and in the formgrader.

Both may be edited between two runs. What stood in both after the last run is kept in ``by_hand.json``: so a
change is told from what was there, and two different changes of the same answer stop the run, and lose
nothing. Points belong to an answer: when it changes, they are shown beside it and no longer count.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from fsdl_course.grading import open_table, tables
from fsdl_course.grading.submissions import slug
from fsdl_deploy import files

STATE = "by_hand.json"


@dataclass(frozen=True)
class GivenByHand:
    """For one question of one hand-in; ``points`` None: no person gave any."""

    points: float | None = None
    comment: str = ""
    extra: float = 0.0  # extra credit, which the formgrader knows


@dataclass(frozen=True)
class AgreedByHand:
    """What both sides said after a run, and of which answer; ``earlier``: of the answer before it."""

    points: float | None = None
    comment: str = ""
    answer: str = ""
    earlier: str = ""


@dataclass
class Agreement:
    """What the next table and the next state are; ``write`` them once the formgrader has the points, too."""

    out: Path
    rows: list[dict[str, str]]
    state: dict[tuple[str, str, str], AgreedByHand]
    remarks: list[str]

    def write(self) -> None:
        open_table.write(self.out / "open.csv", self.rows)
        state = [{"of": key, "agreed": asdict(agreed)} for key, agreed in sorted(self.state.items())]
        files.write(self.out / STATE, json.dumps(state, indent=1) + "\n")


def agree(results: list[dict], out: Path, formgrader: dict | None = None) -> Agreement:
    """Put what a person gave into the results; nothing is written yet.

    ``formgrader`` is ``gradebook.given(out)``. ValueError names impossible points, and what both changed.
    """
    path, formgrader, agreed = out / "open.csv", formgrader or {}, _read_state(out)
    table = open_table.read(path)
    conflicts, rows, state = [], [], {}
    for result in results:
        hand_in = result["lab"], slug(result["student"])  # as the formgrader names it
        for question in result["questions"]:
            hand = formgrader.get((*hand_in, question["id"]), GivenByHand())
            question.update(override=hand.points, extra=hand.extra, comment=hand.comment)
        for answer in result["open"]:
            key = (result["lab"], result["student"], answer["id"])
            row = table.pop(open_table.place_of(*key), None)
            before = agreed.get(key, AgreedByHand())
            earlier = _for_another_answer(before, answer["answer"])
            if earlier is None:
                points, comment = _merged(
                    path, key, answer["max"], row, formgrader.get((*hand_in, answer["id"])), before, conflicts
                )
            else:
                points, comment = None, ""
            answer.update(
                points=0.0 if points is None and not answer["answer"] else points,
                comment=comment,
                extra=formgrader.get((*hand_in, answer["id"]), GivenByHand()).extra
                if earlier is None
                else 0.0,
                by_hand=points,
            )
            earlier = before.earlier if earlier is None else earlier
            state[key] = AgreedByHand(points, comment, _digest(answer["answer"]), earlier)
            rows.append(_row(key, answer, points, comment, earlier))
    if conflicts:
        raise ValueError("; ".join(conflicts) + ": write the same into both, then run again")
    kept = [row.cells for row in table.values()]  # of nobody in these results: not ours to throw away
    names = sorted({row["student"] for row in kept})
    belongs = f"{path}: {len(kept)} rows belong to no hand-in here and are kept: {', '.join(names)}"
    return Agreement(out, rows + kept, {**agreed, **state}, [belongs[:400]] if kept else [])


def _for_another_answer(before: AgreedByHand, answer: str) -> str | None:
    """What was given to an earlier answer, as text; None if it still is the answer, or nothing was given."""
    if before.answer in ("", _digest(answer)) or (before.points is None and not before.comment):
        return None
    points = "no points" if before.points is None else f"{before.points:g}"
    return f"{points} for an earlier answer{': ' if before.comment else ''}{before.comment}"


def _merged(path, key, most, row, hand, before: AgreedByHand, conflicts: list[str]):
    """(points, comment): of each, whatever one side changed; a conflict if both did, differently."""
    try:
        in_table = tables.number(row.points) if row else before.points
        if in_table is not None and not 0 <= in_table <= most:
            raise ValueError
    except ValueError:
        raise ValueError(
            f"{path}, line {row.line}: {row.points!r} is no number of points from 0 to {most}"
        ) from None
    table_says = (in_table, row.comment if row else before.comment)
    formgrader_says = (before.points, before.comment) if hand is None else (hand.points, hand.comment)
    merged = []
    for field, left, right in zip(("points", "comment"), table_says, formgrader_says, strict=True):
        was = getattr(before, field)
        if was not in (left, right) and left != right:
            place = f"{path}, line {row.line}" if row else str(path)
            conflicts.append(f"{place}: {'/'.join(key)} has {left!r} here and {right!r} in the formgrader")
        merged.append(left if left != was else right)
    return merged


def _row(key: tuple, answer: dict, points: float | None, comment: str, earlier: str) -> dict[str, str]:
    lab, student, question = map(tables.cell, key)
    text = answer["answer"]
    if len(text) > open_table.LONGEST:
        text = text[: open_table.LONGEST] + f" … ({len(text)} characters: the rest is in the notebook)"
    return {
        **{"lab": lab, "student": student, "question": question, "max": answer["max"]},
        **{"points": "" if points is None else f"{points:g}", "comment": comment, "earlier": earlier},
        "answer": tables.cell(text),
    }


def _digest(answer: str) -> str:
    return hashlib.sha256(answer.encode()).hexdigest()[:16] if answer else ""


def _read_state(out: Path) -> dict[tuple[str, str, str], AgreedByHand]:
    try:
        rows = json.loads((out / STATE).read_text(encoding="utf-8"))
        return {tuple(row["of"]): AgreedByHand(**row["agreed"]) for row in rows}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{out / STATE} is damaged: remove it, and check the points in open.csv") from None
