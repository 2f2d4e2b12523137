"""What a person gave: points, comments and extra credit, in the table of open answers and in the formgrader.

Both may be edited between two runs. What stood in both after the last run is kept in ``by_hand.json``: so a
change is told from what was there, and two different changes of the same answer stop the run, and lose
nothing. Points belong to an answer: when it changes, they are shown beside it and no longer count, unless
another hand-in of the same person has that answer.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from fsdl_course.grading import open_table, pseudonyms, tables
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


@dataclass(frozen=True)
class GivenNow:
    """What both sides say of the answer that was there when they were written; ``answer`` is its hash."""

    points: float | None
    comment: str
    answer: str
    extra: float
    own: dict[str, str]  # what stands in columns that a person has added to the table

    def __bool__(self) -> bool:
        return self.points is not None or bool(self.comment)


def agree(
    results: list[dict], out: Path, formgrader: dict | None = None, anonymous: bool | None = None
) -> Agreement:
    """Put what a person gave into the results; nothing of it is written yet.

    ``formgrader`` is ``gradebook.given(out)``; ``anonymous`` as in ``pseudonyms``. ValueError names
    impossible points, and what both changed.
    """
    names = pseudonyms.of_folder(out, anonymous)
    agreed, table = _read_state(out), open_table.read(out / "open.csv")
    given = _given_now(results, out / "open.csv", table, formgrader or {}, agreed, names)
    # A second hand-in may take the first one's name: points go with the answer that they were given to.
    by_answer = {
        (*_person(result), answer["id"], now.answer): now
        for result in results
        for answer in result["open"]
        if (now := given[_key(result, answer)]) and now.answer
    }
    rows, state = [], {}
    for result in results:
        for answer in result["open"]:
            key, digest = _key(result, answer), _digest(answer["answer"])
            now, before = given[key], agreed.get(key, AgreedByHand())
            earlier = before.earlier
            if now and now.answer != digest:
                earlier = _for_another_answer(now)
            own = now.own
            if not now or now.answer != digest:
                extra = 0.0 if now else now.extra
                other = by_answer.get((*_person(result), answer["id"], digest))
                now = other or GivenNow(None, "", digest, extra, {})
            answer.update(
                points=0.0 if now.points is None and not answer["answer"] else now.points,
                comment=now.comment,
                extra=now.extra,
                by_hand=now.points,
            )
            state[key] = AgreedByHand(now.points, now.comment, digest, earlier)
            rows.append(_row(key, names, answer, earlier) | own)
    kept = [row.cells for row in table.values()]  # of nobody in these results: not ours to throw away
    students = sorted({row["student"] for row in kept})
    belongs = f"{out / 'open.csv'}: {len(kept)} rows belong to no hand-in here and are kept: "
    if names.anonymous:  # shuffled, and each question of a lab together
        rows.sort(key=lambda row: (row["lab"], row["question"], row["student"]))
    remarks = [(belongs + ", ".join(students))[:400]] if kept else []
    return Agreement(out, rows + kept, {**agreed, **state}, remarks)


def _key(result: dict, answer: dict) -> tuple[str, str, str]:
    return result["lab"], result["student"], answer["id"]


def _person(result: dict) -> tuple[str, str]:
    return result["lab"], result.get("person", result["student"])


def _given_now(results, path: Path, table: dict, formgrader: dict, agreed: dict, names) -> dict:
    """What the table and the formgrader say of each answer; its rows are taken out of ``table``."""
    given, conflicts = {}, []
    for result in results:
        hand_in = result["lab"], slug(result["student"])  # as the formgrader names it
        for question in result["questions"]:
            hand = formgrader.get((*hand_in, question["id"]), GivenByHand())
            question.update(override=hand.points, extra=hand.extra, comment=hand.comment)
        for answer in result["open"]:
            key = _key(result, answer)
            places = [open_table.place_of(key[0], name, key[2]) for name in names.all_of(*key[:2])]
            row = next((table.pop(place) for place in places if place in table), None)
            before, hand = agreed.get(key, AgreedByHand()), formgrader.get((*hand_in, answer["id"]))
            of_answer = before.answer or _digest(answer["answer"])
            if of_answer != _digest(answer["answer"]) and hand and hand.points is None and not hand.comment:
                hand = None  # a run that was killed has emptied it for the new answer
            place = (key[0], names.name_of(*key[:2]), key[2])
            points, comment = _merged(path, place, answer["max"], row, hand, before, conflicts)
            extra, own = hand.extra if hand else 0.0, row.own() if row else {}
            given[key] = GivenNow(points, comment, of_answer, extra, own)
    if conflicts:
        raise ValueError("; ".join(conflicts) + ": write the same into both, then run again")
    return given


def _for_another_answer(given: GivenNow) -> str:
    """What was given to an earlier answer, as text."""
    points = "no points" if given.points is None else f"{given.points:g}"
    return f"{points} for an earlier answer{': ' if given.comment else ''}{given.comment}"


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


def _row(key: tuple, names: pseudonyms.Pseudonyms, answer: dict, earlier: str) -> dict[str, str]:
    lab, student, question = map(tables.cell, (key[0], names.name_of(*key[:2]), key[2]))
    text = answer["answer"]
    if len(text) > open_table.LONGEST:
        text = text[: open_table.LONGEST] + f" … ({len(text)} characters: the rest is in the notebook)"
    points = answer["by_hand"]
    return {
        **{"lab": lab, "student": student, "question": question, "max": answer["max"]},
        **{"points": "" if points is None else f"{points:g}", "comment": answer["comment"]},
        **{"earlier": earlier, "rubric": _rubric(answer), "answer": tables.cell(text)},
    }


def _rubric(answer: dict) -> str:
    """What earns how many points, the most first: beside each answer, where it is graded."""
    levels = sorted(answer.get("rubric", {}).items(), key=lambda level: -int(level[0]))
    return "\n".join(f"{points}: {text}" for points, text in levels)


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
