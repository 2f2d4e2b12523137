"""``fsdl-course capstone grade FOLDERS --out GRADES``: every folder, in several rounds, with feedback."""

import csv
import io
import secrets
from dataclasses import dataclass
from pathlib import Path

from fsdl_course.capstone import brief, class_results, decision, feedback, hand_in, points, practice
from fsdl_course.capstone.verdicts import CriterionVerdict
from fsdl_course.grading.submissions import slug
from fsdl_course.labs.backends.backend import SandboxError
from fsdl_deploy import files

ROUNDS = 3
PUBLIC_SEEDS = 10**6  # below it a seed can be guessed, by whoever tries all of them at home


@dataclass(frozen=True)
class Graded:
    """A student's verdicts over all rounds; ``problem`` where there are none, or where a round failed."""

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
    """All rounds of a folder, whose name is the student's; evidence below ``out``.

    Raises SandboxError only, where there is no isolation: whatever else goes wrong is one student's problem.
    """
    student = folder.name
    try:
        verdicts = [
            practice.judged(folder, brief.seed_of(student), seed + number, out=out / f"round{number + 1}")
            for number in range(rounds)
        ]
    except hand_in.HandInError as problem:
        return Graded(student, [], str(problem))
    except SandboxError:
        raise
    except Exception as problem:
        why = f"the trial itself failed, look at this one yourself: {type(problem).__name__}: {problem}"
        unknown = [CriterionVerdict(row.name, points.UNKNOWN, "there was no trial") for row in points.TABLE]
        return Graded(student, unknown, why[:1000])
    return Graded(student, worst(verdicts))


def hidden_seed(place: Path, given: int | None) -> int:
    """The seed of this class's replays: what is given, else what an earlier run drew, else a new one.

    Raises ValueError for a seed that a student can guess.
    """
    file = place / "seed.txt"
    if given is None:
        given = (
            int(file.read_text(encoding="ascii")) if file.exists() else PUBLIC_SEEDS + secrets.randbits(60)
        )
    if given < PUBLIC_SEEDS:
        raise ValueError(f"--seed is {PUBLIC_SEEDS:,} or more, for smaller ones can be tried at home")
    files.write(file, f"{given}\n")
    return given


def add_arguments(parser) -> None:
    parser.add_argument("folders", metavar="FOLDERS", help="a folder with a folder for each student")
    parser.add_argument(
        "--out", required=True, metavar="GRADES", help="where `grade` leaves the other labs, too"
    )
    parser.add_argument("--seed", type=int, help="of the hidden replay (default: drawn once, and kept)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"replays of each (default: {ROUNDS})")


def main(args) -> int:
    """Grade everybody; 1 if somebody's folder could not be started, or a trial itself failed."""
    folders = sorted(path for path in Path(args.folders).iterdir() if path.is_dir() and not path.is_symlink())
    if not folders:
        raise ValueError(f"there is no student's folder in {args.folders}")
    if args.rounds < 1:
        raise ValueError(f"--rounds is at least 1, not {args.rounds}")
    out, place = Path(args.out), Path(args.out) / "capstone"
    (place / "feedback").mkdir(parents=True, exist_ok=True)
    seed = hidden_seed(place, args.seed)
    outcomes, problems = [], 0
    for folder in folders:
        key = class_results.digest(folder, seed, args.rounds)
        evidence = place / "evidence" / slug(folder.name)
        verdicts = class_results.kept(out, folder.name, key)
        graded = Graded(folder.name, verdicts) if verdicts else grade_one(folder, seed, args.rounds, evidence)
        outcome = class_results.result(folder, graded.verdicts, graded.problem)
        class_results.write(out, outcome, graded.verdicts, key)
        outcomes.append(outcome)
        problems += bool(graded.problem)
        asked = brief.brief_of(brief.seed_of(folder.name))
        text = feedback.feedback_page(
            folder.name, asked, graded.verdicts, graded.problem, evidence / "round1" / "history.jsonl"
        )
        files.write(place / "feedback" / f"{slug(folder.name)}.html", text)
        print(
            f"{files.printable(folder.name)}: {graded.points} of {points.TOTAL} {graded.problem}", flush=True
        )
    records = decision.into_table(outcomes, out)
    files.write(place / "scores.csv", _table(outcomes, records))
    print(f"{len(folders)} folders graded: {place / 'scores.csv'}, pages in {place / 'feedback'}")
    return 1 if problems else 0


def _table(outcomes: list[dict], records: dict[str, float | None]) -> str:
    """A row for each student: points by criterion, all of them, and the decision record's."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(
        ["student", *(criterion.name for criterion in points.TABLE), "points", "decision", "problem"]
    )
    for outcome in outcomes:
        given = records[outcome["student"]]
        earned = [question["points"] for question in outcome["questions"]]
        record = "" if given is None else f"{given:g}"
        rows.writerow([outcome["student"], *earned, outcome["score"], record, outcome["problem"]])
    return text.getvalue()
