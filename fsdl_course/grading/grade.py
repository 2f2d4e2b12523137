"""``fsdl-course grade SUBMISSIONS``: notebooks in; scores, feedback and a gradebook out.

A result is kept per submission, so a run that was stopped goes on where it was, and the same submissions and
cases give the same scores. One bad submission costs nobody else anything.
"""

import argparse
import hashlib
import json
import queue
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

from fsdl_course.grading.answer_key import AnswerKey, answer_key
from fsdl_course.grading.scoring import blank, score
from fsdl_course.grading.submissions import Submission, collect, slug
from fsdl_course.labs import convert, isolation, questions
from fsdl_deploy import files
from fsdl_deploy.measuring.machine import whole_cores
from fsdl_deploy.paths import ROOT


def grade(
    submissions: list[Submission],
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
    handed_in = sorted({submission.lab for submission in submissions})
    keys = {name: answer_key(name, cases_folder, root) for name in handed_in if name in known}
    backend = isolation.open_backend(trusted)
    jobs = jobs or whole_cores()
    slots: queue.Queue[int] = queue.Queue()
    for slot in range(jobs):
        slots.put(slot)
    (out / "results").mkdir(parents=True, exist_ok=True)

    def in_a_slot(submission: Submission) -> dict:
        slot = slots.get()
        try:
            return _kept(submission, keys.get(submission.lab), backend, slot, out, known)
        finally:
            slots.put(slot)
            if bar is not None:
                bar.update()

    pool = ThreadPoolExecutor(jobs)
    try:
        results = [pool.submit(in_a_slot, submission) for submission in submissions]
        # Short waits: the system may give the interrupt to another thread, which does not wake this one.
        while wait(results, timeout=0.2).not_done:
            pass
        return [result.result() for result in results]
    finally:
        # Interrupted: those under way end, the others are for the next run.
        pool.shutdown(cancel_futures=True)


def _kept(submission, key: AnswerKey | None, backend, slot: int, out: Path, known: list[str]) -> dict:
    """The result of an earlier run if nothing has changed since, else a new one."""
    if key is None:
        submission.problem = (
            submission.problem or f"it is of no known lab: say which with --lab ({', '.join(known)})"
        )
        return blank(submission, questions.Lab([])) | submission.facts()
    cells = json.dumps([submission.student, submission.lab, submission.cells, submission.problem])
    content = hashlib.sha256(cells.encode()).hexdigest()
    digest = hashlib.sha256(cells.encode() + key.digest.encode() + backend.name.encode()).hexdigest()
    path = out / "results" / f"{slug(submission.lab)}-{slug(submission.student)}.json"
    kept = _read(path)
    if kept.get("digest") == digest and kept["result"] | submission.facts() == kept["result"]:
        return kept["result"]
    try:
        result = kept["result"] if kept.get("digest") == digest else score(submission, key, backend, slot)
    except Exception as error:  # ours, not the student's: the result says so, and is not kept
        submission.problem = f"the grader failed: {type(error).__name__}: {error}"
        return blank(submission, key.lab) | submission.facts()
    result |= submission.facts()
    files.write(path, json.dumps({"digest": digest, "content": content, "result": result}, indent=1))
    if kept.get("content", content) != content:
        result = {**result, "replaces": kept["result"]["origin"]}
    return result


def _read(path: Path) -> dict:
    """What was kept in a file of results; {} if it is not there or damaged: then it is made again."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        result = kept["result"]
        result.setdefault("person", result["student"])
        return kept
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def kept_results(out: Path) -> list[dict]:
    """All results that runs have left in ``out``, by lab and student."""
    results = [kept["result"] for path in (out / "results").glob("*.json") if (kept := _read(path))]
    return sorted(results, key=lambda result: (result["lab"], result["student"]))


def earlier(results: list[dict], out: Path) -> list[dict]:
    """Results that runs before this one left in ``out``, of other hand-ins: another lab's, for example."""
    here = {(result["lab"], result["student"]) for result in results}
    return [result for result in kept_results(out) if (result["lab"], result["student"]) not in here]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "submissions", type=Path, metavar="SUBMISSIONS", help="a folder or a zip of notebooks"
    )
    parser.add_argument("--out", type=Path, metavar="FOLDER", default=Path("grades"), help="where results go")
    parser.add_argument(
        "--cases", type=Path, metavar="FOLDER", help="private cases, made by fsdl-course cases"
    )
    parser.add_argument(
        "--jobs", type=int, default=whole_cores(), help="submissions at once (default: one a core)"
    )
    parser.add_argument("--lab", help="which lab all of them are, if they do not say so themselves")
    parser.add_argument(
        "--names",
        action=argparse.BooleanOptionalAction,
        help="students' names in open.csv, or with --no-names pseudonyms, shuffled (default: as it was)",
    )
    parser.add_argument(
        "--i-trust-these", action="store_true", help="run without isolation; only code you trust"
    )


def main(args: argparse.Namespace) -> int:
    """Grade everything; 1 if a submission could not be read or graded."""
    from tqdm import tqdm

    from fsdl_course.grading import alike, by_hand, gradebook, report

    if args.jobs < 1:
        raise ValueError(f"--jobs is 1 or more, not {args.jobs}")
    if args.lab and args.lab not in convert.names():
        raise ValueError(f"there is no lab {args.lab!r}: they are {', '.join(convert.names())}")
    if args.out.resolve().is_relative_to(args.submissions.resolve()):
        raise ValueError(
            f"--out {args.out} is inside {args.submissions}: results would be graded as hand-ins"
        )
    submissions = collect(args.submissions, args.lab)
    with tqdm(total=len(submissions), unit="submission", file=sys.stderr) as bar:
        results = grade(submissions, args.out, args.cases, args.jobs, args.i_trust_these, bar=bar)
    before = earlier(results, args.out)
    agreement = by_hand.agree(
        results + before, args.out, gradebook.given(args.out), None if args.names is None else not args.names
    )
    gradebook.write(submissions, results, args.out, args.cases, earlier=before)
    pairs = alike.of_folder(results + before, args.out)
    alike.write(pairs, args.out)
    if pairs:
        print(
            f"{len(pairs)} pairs of hand-ins are nearly the same: {args.out / 'alike.html'}", file=sys.stderr
        )
    for remark in report.write(results + before, args.out, agreement=agreement):
        print(remark, file=sys.stderr)
    for result in results:
        if result["problem"]:
            print(f"{result['student']} ({result['origin']}): {result['problem']}", file=sys.stderr)
        if result.get("replaces"):
            print(
                f"{result['student']} ({result['origin']}): it takes the place of {result['replaces']}, "
                "graded before; if both should be there, keep both in one folder",
                file=sys.stderr,
            )
    others = f", and {len(before)} of earlier runs" if before else ""
    print(f"{len(results)} submissions graded{others}: {args.out / 'index.html'}, {args.out / 'scores.csv'}")
    return 1 if any(result["problem"] for result in results) else 0
