"""``fsdl-course sample-class FOLDER --lab lab02``: made-up hand-ins of a lab, to try the grading with.

Each is the lab's solution with something done to it: nothing, half of it missing, a function that never ends,
a function that tries to leave the sandbox. Knows nothing of points.
"""

import argparse
import copy
from collections.abc import Callable
from pathlib import Path

from fsdl_course.capstone import new
from fsdl_course.grading.tables import text_of
from fsdl_course.labs import convert, questions
from fsdl_course.notebooks.conversion import write
from fsdl_deploy import files
from fsdl_deploy.paths import ROOT

HOSTILE = {
    "endless": "while True: pass",
    "leaves": "import os; os._exit(0)",
    "forks": "import os\n    while True: os.fork()",
    "eats-memory": "kept = []\n    while True: kept.append(bytearray(10**7))",
    "looks-around": "return sorted(open('/etc/passwd'))",
    "shouts": "print('x' * 10**9)",
}
CAPSTONE = "lab10"
SERVICES = {
    "Ada Right": "python",
    "Bob Nothing": "",
    "Cem Boasts": "ready_too_soon",
    "Dia Leaves": "forgets_the_end",
    "Eva Grows": "grows",
    "Mal Forgets": "answers_first",
}
"""Student -> the example that is handed in for lab 10, "" for the folder as it was handed out."""


def hand_ins(name: str) -> dict[str, object]:
    """Student -> notebook, for one lab."""
    solved, stubbed = convert.both(name)
    answers = [cell.id for cell in solved.cells if cell.cell_type == "code" and convert.question_of(cell)]
    untouched = {cell.id: cell.source for cell in stubbed.cells}
    first = answers[0]
    lab = questions.load(ROOT / "solutions" / name)
    function = lab.graded[0].function

    def changed(change: Callable[[str, str], str]):
        """The solution's notebook, with ``change(id, source)`` as the source of each answer."""
        notebook = copy.deepcopy(solved)
        for cell in notebook.cells:
            if cell.id in answers:
                cell.source = change(cell.id, cell.source)
        return notebook

    def only_first(new: str):
        return changed(lambda cell_id, source: new if cell_id == first else source)

    notebooks = {
        "Ada Right": changed(lambda _, source: source),
        "Bob Nothing": copy.deepcopy(stubbed),
        "Cem Half": changed(lambda i, source: source if answers.index(i) % 2 == 0 else untouched[i]),
        "Dia Renamed": changed(
            lambda i, source: source.replace(function, "my_" + function) if i == first else source
        ),
        "Eva Syntax": only_first(f"def {function}(:"),
    }
    for student, body in HOSTILE.items():
        notebooks[f"Mal {student}"] = only_first(f"def {function}(*arguments):\n    {body}")
    return notebooks


def class_list(students: list[str]) -> str:
    """A class list as CSV: name, ID, e-mail, section."""
    rows = [
        [name, f"s{1001 + number}", f"s{1001 + number}@university.example", "AB"[number % 2]]
        for number, name in enumerate(students)
    ]
    return text_of(["name", "ID", "e-mail", "section"], rows)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where the hand-ins go; a new folder")
    parser.add_argument("--lab", metavar="LAB", default="lab00", help="for example lab02")
    parser.add_argument(
        "--roster", type=Path, metavar="CSV", help="write a class list, too, with two who handed in nothing"
    )
    parser.add_argument(
        "--students", type=int, help="so many hand-ins, by repeating them (default: one of each kind)"
    )


def main(args: argparse.Namespace) -> int:
    names = [*convert.names(), CAPSTONE]
    if args.lab not in names:
        raise ValueError(f"there is no lab {args.lab!r}: they are {', '.join(names)}")
    if args.folder.exists() and any(args.folder.iterdir()):
        raise ValueError(f"{args.folder} is not empty: name a new folder")
    kinds = SERVICES if args.lab == CAPSTONE else hand_ins(args.lab)
    if args.roster and args.roster.exists():
        raise ValueError(f"{args.roster} is there already: name a new file")
    count = len(kinds) if args.students is None else args.students
    if count < 1:
        raise ValueError(f"--students is 1 or more, not {count}")
    students = []
    for number in range(count):
        student, hand_in = list(kinds.items())[number % len(kinds)]
        again = f" {number // len(kinds) + 1}" if number >= len(kinds) else ""
        students.append(f"{student}{again}")
        if args.lab == CAPSTONE:
            new.write(args.folder / students[-1], hand_in)
            continue
        path = args.folder / students[-1] / f"{args.lab}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(write(hand_in), encoding="utf-8")
    print(f"{args.folder}: {count} hand-ins of {args.lab}")
    if args.roster:
        args.roster.parent.mkdir(parents=True, exist_ok=True)
        files.write(args.roster, class_list([*students, "Fay Absent", "Gus Later"]))
        print(f"{args.roster}: {count + 2} students")
    return 0
