"""Names of hand-ins -> who handed in which lab: as people, Moodle, Canvas and nbgrader name files.

Knows nothing of what is in them.
"""

import re
from pathlib import PurePosixPath

from fsdl_course.grading.notebook_file import LAB, printable

MOODLE = re.compile(r"(?P<name>[^_].*)_(?P<id>\d+)_assignsubmission_.*")
CANVAS = re.compile(r"(?P<name>[^_]+)_(?P<late>LATE_)?(?P<id>\d+)_\d+_.+")
CANVAS_BELOW = re.compile(r"(?P<name>[^\W_]+)_(?P<late>LATE_)?(?P<id>\d{3,})_\d{3,}_.+")  # in a folder
NBGRADER = re.compile(r"(?P<name>[^+]+)\+(?P<lab>[^+]+)\+(?P<when>\d{4}-\d\d-\d\d \d\d[:.]\d\d[:.]\d\d).*")
NOTEBOOK = re.compile(r"\.ipynb(\.txt|\.json)?$", re.IGNORECASE)  # browsers and mail programs add endings
COPY = re.compile(r"-checkpoint\.ipynb$", re.IGNORECASE)
BY_THEMSELVES = {"thumbs.db", "desktop.ini", "ehthumbs.db"}  # what systems put into folders
OF_NBGRADER = "timestamp.txt"  # what nbgrader puts beside a hand-in


def passed_over(name: str) -> bool:
    """Checkpoints, and what systems put into folders and zips by themselves."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    hidden = any((part.startswith(".") and part != "..") or part == "__MACOSX" for part in parts)
    return hidden or bool(COPY.search(name)) or parts[-1].lower() in BY_THEMSELVES


def by_platform(name: str) -> re.Match | None:
    """The part of a path that a learning platform named, as a match with ``name`` and ``id``; None if none.

    So a download of Canvas or Moodle may lie in a folder or a zip of any name, beside others.
    """
    parts = [part for part in PurePosixPath(name.replace("\\", "/")).parts if part not in ("/", "..", ".")]
    for number, part in enumerate(parts):
        if match := MOODLE.fullmatch(part):
            return match
        if number == len(parts) - 1:
            named = [part for part in parts[:-1] if not LAB.fullmatch(part)]
            return (CANVAS_BELOW if named else CANVAS).fullmatch(part)
    return None


def who(name: str) -> tuple[str, str]:
    """A path in a hand-in -> (student, lab or ""): ``ann/lab02.ipynb``, ``ann.ipynb``, Moodle's, Canvas's.

    The student is the first part of the path that is no lab, or the part that a platform named; characters
    that mean something in a path or a page stay, so whoever writes them somewhere has to escape them.
    """
    parts = [part for part in PurePosixPath(name.replace("\\", "/")).parts if part not in ("/", "..", ".")]
    ending = NOTEBOOK.search(parts[-1]) or re.search(r"\.[A-Za-z0-9]{1,5}$", parts[-1])
    platform = by_platform(name)
    parts[-1] = parts[-1][: ending.start()] if ending and ending.start() else parts[-1]
    lab = next((match[0].lower() for part in reversed(parts) if (match := LAB.search(part))), "")
    named = [part for part in parts if not LAB.fullmatch(part)] or [parts[-1]]
    student = named[0]
    if platform:
        student = f"{platform['name']} {platform['id']}"
    elif exchanged := NBGRADER.fullmatch(student):
        student = exchanged["name"]
    else:
        pieces = LAB.split(student)
        student = "".join(piece.strip("-_ ") for piece in pieces) or student if pieces[1:] else student
    return printable(student)[:100].strip() or "?", lab


def marked_late(name: str) -> bool:
    """Whether Canvas says in the name that it came late."""
    platform = by_platform(name)
    return bool(platform and platform.re is not MOODLE and platform["late"])
