"""A class of thirty and three labs as the grader leaves them, made up: for tests of totals and exports."""

import json

from made_results import result

from fsdl_course.grading.submissions import slug

LABS = ("lab00", "lab01", "lab02")
MOST = 6  # points of a lab: 3 for its function, 3 for its open answer
NAMES = [f"Given{number:02} Family{number:02}" for number in range(26)]
NAMES += ["Zoë O'Müller", "=cmd|'/C calc'!A0", 'Lee "Bo", Ann', "Łukasz 李"]  # what a class list may hold


def person_of(number):
    """As Canvas names a hand-in: letters of the name, then the ID."""
    return f"{''.join(filter(str.isalnum, NAMES[number].lower()))} {5000 + number}"


def put(out, number, lab="lab00", points=1, handed_in="2026-10-12T20:00:00+00:00", again="", **more):
    """One graded hand-in, with ``points`` + 2 for its function."""
    person = more.pop("person", None) or person_of(number)
    graded = result(person + again, points) | {"lab": lab, "person": person, "dated": "the zip's time"}
    graded |= {"handed_in": handed_in, "origin": f"{person}{again}.ipynb", "marked_late": False, **more}
    folder = out / "results"
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"digest": "x", "result": graded})
    (folder / f"{lab}-{slug(person + again)}.json").write_text(text, encoding="utf-8")


def canvas_export(delimiter=",", bom=True):
    """Canvas's gradebook as it is downloaded: hidden assignments, points possible, a student for tests."""
    import csv
    import io

    text = io.StringIO()
    rows = csv.writer(text, delimiter=delimiter)
    labs = ["Lab 0 (71)", "Lab 1 (72)", "Second try of lab02 (73)"]
    rows.writerow(
        [
            "Student",
            "ID",
            "SIS User ID",
            "SIS Login ID",
            "Section",
            "Notes",
            *labs,
            "Essay (74)",
            "Final Score",
        ]
    )
    rows.writerow([*[""] * 6, *["Manual Posting"] * 4, ""])
    rows.writerow(["    Points Possible", "", "", "", "", "", "6", "6", "6", "10", "(read only)"])
    for number, name in enumerate(NAMES):
        identity = [name, 5000 + number, f"u{number:04}", f"{number}@x.example", "AB"[number % 2]]
        rows.writerow([*identity, "a, b\nc", "", "1,5", "", "9.5", "80"])
    rows.writerow(["Student, Test", "9999", "", "", "", "", "", "", "", "", ""])
    return ("\ufeff" * bom) + text.getvalue()


def policy(**changes):
    rules = {"counts": '"last"', "grace_minutes": 10, "late_days": 2, "late_penalty": 10, "late_cap": 50}
    rules |= {"latest_days": 7, "time_zone": '"Europe/Berlin"', **changes}
    labs = "".join(
        f"[labs.{lab}]\ndeadline = 2026-10-{12 + 7 * number}T23:59:00\nweight = {number + 1}\n"
        for number, lab in enumerate(LABS)
    )
    return "".join(f"{name} = {value}\n" for name, value in rules.items()) + labs
