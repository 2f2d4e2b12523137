"""Cells of a lab as nbgrader marks them: an answer, its check, and what is neither."""


def answer(name: str, source: str, kind: str = "code") -> dict:
    mark = {"grade_id": name, "solution": True, "locked": False, "grade": False}
    return {"cell_type": kind, "id": name, "metadata": {"nbgrader": mark}, "source": source}


def check(name: str, source: str) -> dict:
    mark = {"grade_id": f"{name}-check", "solution": False, "locked": True, "grade": True}
    return {"cell_type": "code", "id": f"{name}-check", "metadata": {"nbgrader": mark}, "source": source}


def plain(identity: str, source: str, kind: str = "markdown") -> dict:
    return {"cell_type": kind, "id": identity, "metadata": {}, "source": source}
