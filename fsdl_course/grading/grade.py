"""``fsdl-course grade SUBMISSIONS``: notebooks in; scores, feedback and a gradebook out.

Student code runs in a sandbox that gets arguments and gives values (``sandbox``); the values are compared
here with those of the lab's own solution. A result is kept per submission, so a run that was stopped goes on
where it was, and the same submissions and cases give the same scores. One bad submission costs nobody else
anything.
"""

import argparse
import hashlib
import json
import os
import queue
import re
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

from fsdl_course.grading import submissions
from fsdl_course.grading.submissions import Submission
from fsdl_course.labs import convert, questions, sandbox
from fsdl_deploy.paths import ROOT

SEED = "the course's own"  # of the private cases where an instructor gives none: anyone can draw them too
PRIVATE = {"it took too long": "it took too long", "it is not defined": "it is not defined"}


@dataclass(frozen=True)
class Key:
    """A lab with everything that an answer is held against: the cases and the solution's values."""

    name: str
    lab: questions.Lab
    cases: list[questions.Case]
    expected: list
    digest: str


def key(name: str, cases_folder: Path | None = None, root: Path = ROOT) -> Key:
    """The key of a lab: public cases, then private ones, from ``cases_folder/NAME.json`` if it is given."""
    lab = questions.load(root / "solutions" / name)
    if cases_folder is None:
        private = questions.drawn_cases(lab, SEED)
    else:
        private = questions.read_cases(cases_folder / f"{name}.json", lab)
    # Public ones come first: until the last of them is done, no private argument is in the sandbox.
    cases = questions.public_cases(lab) + private
    expected = convert.solution_values(name, cases, root)
    content = [[(c.question, c.part, c.arguments) for c in cases], expected]
    files = [*sorted(Path(sandbox.__file__).parent.glob("*.py")), Path(__file__)]  # whatever decides a score
    code = b"".join(file.read_bytes() for file in files)
    asked = (root / "solutions" / name / "questions.py").read_bytes()
    digest = hashlib.sha256(json.dumps(content).encode() + code + asked).hexdigest()
    return Key(name, lab, cases, expected, digest)


def gradable(submission: Submission, lab: questions.Lab) -> list[str]:
    """The code to run; a cell that only measures is left out unless an answer stands in it."""
    names = "|".join(re.escape(question.function) for question in lab.graded)
    answers = re.compile(rf"^\s*((async )?def ({names})\b|({names})\s*=[^=])", re.MULTILINE)
    cells = [
        SimpleNamespace(**{**cell, "metadata": {} if answers.search(cell["source"]) else cell["metadata"]})
        for cell in submission.cells
    ]
    return convert.gradable(cells)


def score(submission: Submission, key: Key, backend: sandbox.Backend, slot: int = 0) -> dict:
    """The result of one submission, as JSON-able data; never raises for anything that the student wrote."""
    result = blank(submission, key.lab)
    if submission.problem:
        return result
    cells = gradable(submission, key.lab)
    with sandbox.Sandbox(cells, backend, key.lab.preload, slot) as box:
        for number, said in sorted((int(number), said) for number, said in box.errors.items()):
            start = cells[number].strip().split("\n")[0][:80]
            result["notes"].append(f"the cell that starts with '{start}': {said}"[:400])
        parts = {
            (question["id"], part["name"]): part
            for question in result["questions"]
            for part in question["parts"]
        }
        for case, expected in zip(key.cases, key.expected, strict=True):
            part = parts[case.question, case.part]
            if part["problem"]:  # it is lost already
                continue
            question = key.lab.question(case.question)
            answer = box.call(question.function, case.arguments, question.seconds)
            problem = answer.error or question.wrong(case.arguments, answer.value, expected)
            if problem and case.public:
                part.update(problem=problem[:500], call=question.call(case.arguments))
            elif problem:  # nothing of the case, and nothing that the student's code could have put there
                part["problem"] = PRIVATE.get(answer.error, "it is wrong for a case that only the grader has")
    for question in result["questions"]:
        for part in question["parts"]:
            part["points"] = 0 if part["problem"] else part["max"]
        question["points"] = sum(part["points"] for part in question["parts"])
    result["score"] = sum(question["points"] for question in result["questions"])
    return result


def blank(submission: Submission, lab: questions.Lab) -> dict:
    """A result without any points yet."""
    return {
        "student": submission.student,
        "lab": submission.lab,
        "origin": submission.origin,
        "problem": submission.problem,
        "notes": [],
        "questions": [
            {
                "id": question.id,
                "title": question.title,
                "function": question.function,
                "points": 0,
                "max": question.points,
                "parts": [
                    {
                        "name": part.name,
                        "points": 0,
                        "max": part.points,
                        "public": part.public,
                        "problem": "",
                        "call": "",
                    }
                    for part in question.parts
                ],
            }
            for question in lab.graded
        ],
        "open": [
            {
                "id": question.id,
                "title": question.title,
                "max": question.points,
                "answer": answer_of(submission, question.id),
            }
            for question in lab.open
        ],
        "score": 0,
        "max": sum(question.points for question in lab.graded),
    }


def answer_of(submission: Submission, question: str) -> str:
    """What a student wrote to an open question; "" for nothing, or the stub."""
    wanted = f"{submission.lab}-{question}"
    for cell in submission.cells:
        if wanted in (cell["metadata"].get("nbgrader", {}).get("grade_id"), cell["id"]):
            return "" if cell["source"].strip() == convert.OPEN_STUB else cell["source"].strip()
    return ""


def slug(text: str) -> str:
    """A name for a file: readable, never a path, different for different texts."""
    plain = re.sub(r"[^A-Za-z0-9.-]+", "_", text).strip("._")[:60]
    return plain if plain == text else f"{plain}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def grade(
    found: list[Submission],
    out: Path,
    cases_folder: Path | None = None,
    jobs: int | None = None,
    trusted: bool = False,
    root: Path = ROOT,
    bar=None,
) -> list[dict]:
    """Results of all submissions, in their order; each is kept under ``out/results`` as soon as it is there.

    SandboxError if there is no isolation (and ``trusted`` is False), CasesError if a key cannot be made.
    """
    known = convert.names(root)
    keys = {
        name: key(name, cases_folder, root) for name in sorted({one.lab for one in found}) if name in known
    }
    backend = sandbox.open_backend(trusted)
    jobs = jobs or os.cpu_count() or 1
    slots: queue.Queue[int] = queue.Queue()
    for slot in range(jobs):
        slots.put(slot)
    (out / "results").mkdir(parents=True, exist_ok=True)

    def one(submission: Submission) -> dict:
        slot = slots.get()
        try:
            return _kept(submission, keys.get(submission.lab), backend, slot, out, known)
        finally:
            slots.put(slot)
            if bar is not None:
                bar.update()

    pool = ThreadPoolExecutor(jobs)
    try:
        results = [pool.submit(one, submission) for submission in found]
        # Short waits: the system may give the interrupt to another thread, which does not wake this one.
        while wait(results, timeout=0.2).not_done:
            pass
        return [result.result() for result in results]
    finally:
        # Interrupted: those under way end, the others are for the next run.
        pool.shutdown(cancel_futures=True)


def _kept(submission, key: Key | None, backend, slot: int, out: Path, known: list[str]) -> dict:
    """The result of an earlier run if nothing has changed since, else a new one."""
    if key is None:
        problem = submission.problem or f"it is of no known lab: say which with --lab ({', '.join(known)})"
        submission = Submission(submission.student, submission.lab, submission.origin, problem=problem)
        return blank(submission, questions.Lab([]))
    content = json.dumps([submission.student, submission.lab, submission.cells, submission.problem])
    digest = hashlib.sha256(content.encode() + key.digest.encode() + backend.name.encode()).hexdigest()
    path = out / "results" / f"{slug(submission.lab)}-{slug(submission.student)}.json"
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["digest"] == digest:
            return kept["result"]
    except (OSError, ValueError, KeyError, TypeError):
        pass
    try:
        result = score(submission, key, backend, slot)
    except Exception as error:  # ours, not the student's: the result says so, and is not kept
        submission.problem = f"the grader failed: {type(error).__name__}: {error}"
        return blank(submission, key.lab)
    half = path.with_suffix(".part")
    half.write_text(json.dumps({"digest": digest, "result": result}, indent=1), encoding="utf-8")
    half.replace(path)
    return result


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "submissions", type=Path, metavar="SUBMISSIONS", help="a folder or a zip of notebooks"
    )
    parser.add_argument("--out", type=Path, default=Path("grades"), help="where results go (default: grades)")
    parser.add_argument("--cases", type=Path, metavar="DIR", help="private cases, made by fsdl-course cases")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="submissions at once")
    parser.add_argument("--lab", help="which lab all of them are, if they do not say so themselves")
    parser.add_argument(
        "--i-trust-these", action="store_true", help="run without isolation; only code you trust"
    )


def main(args: argparse.Namespace) -> int:
    """Grade everything; 1 if a submission could not be read or graded."""
    from tqdm import tqdm

    from fsdl_course.grading import gradebook, report

    if args.jobs < 1:
        raise ValueError(f"--jobs is 1 or more, not {args.jobs}")
    if args.lab and args.lab not in convert.names():
        raise ValueError(f"there is no lab {args.lab!r}: they are {', '.join(convert.names())}")
    found = submissions.collect(args.submissions, args.lab)
    with tqdm(total=len(found), unit="submission", file=sys.stderr) as bar:
        results = grade(found, args.out, args.cases, args.jobs, args.i_trust_these, bar=bar)
    report.write(results, args.out, gradebook.points_given(args.out))
    gradebook.write(found, results, args.out, args.cases)
    for result in results:
        if result["problem"]:
            print(f"{result['student']} ({result['origin']}): {result['problem']}", file=sys.stderr)
    print(f"{len(results)} submissions graded: {args.out / 'index.html'}, {args.out / 'scores.csv'}")
    return 1 if any(result["problem"] for result in results) else 0
