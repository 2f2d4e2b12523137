"""One handed-in notebook, read as data and with bounds: its cells without outputs, and which lab it is.

Nothing is executed. A large notebook is read by a process with a bound on its memory, which is this file run
as a program.
"""

import json
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

MEBIBYTE = 1 << 20
MOST_BYTES = 400 * MEBIBYTE  # of one notebook; nearly all of a large one are outputs
MOST_CODE = 1 * MEBIBYTE  # of the text of its cells
MOST_CELLS = 5000
IN_PROCESS = 5 * MEBIBYTE  # above it, a process with a bound on its memory reads the notebook
READ_MEMORY = 2048 * MEBIBYTE
READ_SECONDS = 60
LAB = re.compile(r"lab\d\d", re.IGNORECASE)


def read(path: Path) -> tuple[str, list[dict]]:
    """An ``.ipynb`` -> (the lab it says it is, or "", its cells without outputs); ValueError says why not."""
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise ValueError(f"it is larger than {MOST_BYTES >> 20} MiB")
    if size == 0:
        raise ValueError("it is empty")
    if size <= IN_PROCESS:
        return slim(path)
    command = [sys.executable, "-m", "fsdl_course.grading.notebook_file", str(path), str(READ_MEMORY)]
    try:
        process = subprocess.run(command, capture_output=True, timeout=READ_SECONDS, check=False)
        document = json.loads(process.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        raise ValueError(f"it is too large to be read ({size >> 20} MiB)") from None
    if "problem" in document:
        raise ValueError(document["problem"])
    return document["lab"], document["cells"]


def slim(path: Path) -> tuple[str, list[dict]]:
    """As ``read``, in this process."""
    try:
        content = path.read_bytes()
        content = json.loads(content.decode(json.detect_encoding(content), "replace"))  # by its BOM, if any
        cells = content.get("cells")
        if cells is None and "worksheets" in content:  # the format of before 2015
            cells = [cell for sheet in content["worksheets"] for cell in sheet["cells"]]
        kept = [slim_cell(cell) for cell in cells]
        lab = (content.get("metadata") or {}).get("fsdl_lab", "")
    except (ValueError, RecursionError, MemoryError, AttributeError, TypeError, KeyError):
        raise ValueError("it is no notebook") from None
    if len(kept) > MOST_CELLS:
        raise ValueError(f"it has more than {MOST_CELLS} cells")
    if sum(len(cell["source"]) for cell in kept) > MOST_CODE:
        raise ValueError(f"its cells hold more than {MOST_CODE >> 20} MiB of text")
    lab = lab.lower() if isinstance(lab, str) else ""
    if not LAB.fullmatch(lab):
        ids = (str(cell["metadata"].get("nbgrader", {}).get("grade_id", "")) for cell in kept)
        lab = next((match[0] for text in ids if (match := LAB.match(text))), "")
    return lab, kept


def slim_cell(cell: dict) -> dict:
    """What grading needs of a notebook's cell; TypeError or KeyError if it is none."""
    source = cell.get("source", cell.get("input", "")) or ""
    source = "".join(source) if isinstance(source, list) else source
    if not isinstance(source, str):
        raise TypeError("a cell's source is no text")
    metadata = cell.get("metadata") if isinstance(cell.get("metadata"), dict) else {}
    tags = [tag for tag in metadata.get("tags") or () if isinstance(tag, str)]
    marks = metadata.get("nbgrader") if isinstance(metadata.get("nbgrader"), dict) else {}
    marked = {"grade_id": writable(str(marks.get("grade_id", ""))), "grade": bool(marks.get("grade"))}
    return {
        "cell_type": cell["cell_type"] if cell["cell_type"] in ("code", "raw") else "markdown",
        "source": writable(source),
        "id": writable(str(cell.get("id", ""))),
        "metadata": {"tags": tags, "nbgrader": marked},
    }


def writable(text: str) -> str:
    """Text that can be written as UTF-8: names of files and notebooks may hold half a character."""
    return text.encode("utf-8", "replace").decode("utf-8")


def printable(name: str) -> str:
    """A name in one form whoever wrote it (Unicode's NFC), without what would move a terminal's cursor."""
    name = unicodedata.normalize("NFC", writable(name))
    return "".join(letter if letter.isprintable() else "?" for letter in name)


def main() -> None:
    """Read the notebook named first with as many bytes of memory as named next; print it as JSON."""
    try:
        import resource
    except ImportError:  # Windows has no such bounds: there it is the time of the caller that ends this
        pass
    else:
        resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]), int(sys.argv[2])))
        resource.setrlimit(resource.RLIMIT_CPU, (READ_SECONDS, READ_SECONDS))
    try:
        lab, cells = slim(Path(sys.argv[1]))
        print(json.dumps({"lab": lab, "cells": cells}))
    except ValueError as error:
        print(json.dumps({"problem": str(error)}))


if __name__ == "__main__":
    main()
