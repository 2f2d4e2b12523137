"""Results as the grader gives them, made up: for tests of what is made of results."""

import csv

NASTY = "</td><script>alert(1)</script>`x` **b** =1"


def result(student="ann", points=1, answer="because", problem=""):
    parts = [
        {
            "name": "small",
            "points": points,
            "max": 1,
            "public": True,
            "problem": "" if points else NASTY,
            "call": NASTY,
        },
        {"name": "others", "points": 2, "max": 2, "public": False, "problem": "", "call": ""},
    ]
    question = {
        "id": "q1",
        "title": "twice",
        "function": "double",
        "points": points + 2,
        "max": 3,
        "parts": parts,
    }
    return {
        "student": student,
        "lab": "lab00",
        "origin": f"{student}.ipynb",
        "problem": problem,
        "notes": [NASTY],
        "questions": [] if problem else [question],
        "open": [] if problem else [{"id": "q2", "title": "why", "max": 3, "answer": answer}],
        "score": 0 if problem else points + 2,
        "max": 0 if problem else 3,
    }


def rows(path):
    with path.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))
