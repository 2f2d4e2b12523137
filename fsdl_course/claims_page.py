"""The page of claims: each sentence of the lecture, where it runs, what that measured, and the verdict

Nothing on it is typed. The words come from ``notebooks/claims.toml``, what was measured from the recorded
run of the lessons (``slides/lessons.json``) or from the record that a claim names, with date and machine.
"""

import html
import posixpath
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from fsdl_course import claims
from fsdl_course.claims import Claim
from fsdl_course.notebooks.recorded_lessons import RUN
from fsdl_deploy.measuring import records

UNMEASURED, WAITING = "not measurable here", "not in the recorded run"
# How each verdict is called in the page's HTML, where the filter finds it.
GROUPS = {
    claims.HOLDS: "holds",
    claims.PARTLY: "partly",
    claims.FAILS: "fails",
    UNMEASURED: "unmeasured",
    WAITING: "waiting",
}
WORDS = """\
# The lecture's sentences

The lecture *Deployment* of Full Stack Deep Learning 2022 in its own words, and what became of each sentence
when the course put it to the test. No verdict is written by hand: rules in `notebooks/claims.toml` decide it
from what the lessons or a record measured. *Holds partly* means that it holds under a condition, which stands
beside it. Where a sentence does not hold here, it may hold on another machine: a lesson judges its sentences
again on yours, at its end.
"""
HEAD = "| no. | the lecture | measured in | what it measured | verdict |\n|---|---|---|---|---|"


@dataclass(frozen=True)
class OnRecord:
    """What is on record about a claim. ``when``: the date and the machine, "" where nothing was measured."""

    words: str
    verdict: str
    when: str = ""


def document(root: Path, titles: Mapping[str, str] | None = None, folder: str = "") -> str:
    """The page as Markdown; ``titles``: of the lessons by number. Links lead there from ``folder``."""
    known = claims.read(root) if (root / claims.FILE).is_file() else []
    run = records.read(root / RUN) if (root / RUN).is_file() else {"lessons": {}}
    rows = {claim: seen(claim, root, run) for claim in known}
    parts = [WORDS, _filter(Counter(each.verdict for each in rows.values()))]
    for lesson, group in groupby(sorted(known, key=lambda claim: claim.lesson), lambda claim: claim.lesson):
        lines = [_row(claim, rows[claim], folder) for claim in sorted(group, key=lambda claim: claim.number)]
        parts.append("\n".join([f"## {(titles or {}).get(lesson, f'Lesson {lesson}')}\n", HEAD, *lines]))
    return "\n\n".join(part.strip() for part in parts) + "\n"


def seen(claim: Claim, root: Path, run: dict) -> OnRecord:
    """What the claim's record says, else what the run of its notebook showed.

    Raises ClaimError for a rule that the record does not fit.
    """
    record = records.read(root / claim.record) if claim.record else {}
    if claim.holds and record and claim.results() <= record.keys():
        return OnRecord(claim.measured(record), claim.verdict(record), _when(record, record))
    ran = run["lessons"].get(claim.notebook, {})
    cells = _shown(claim, ran)
    when = _when(ran, run) if cells and cells[1] else ""
    if claim.undecided:
        return OnRecord(
            "; ".join(filter(None, (cells[1] if cells else "", claim.undecided))), UNMEASURED, when
        )
    if cells and cells[2] in GROUPS:
        return OnRecord(cells[1], cells[2], when)
    return OnRecord("", WAITING)


def _shown(claim: Claim, ran: dict) -> list[str] | None:
    """The claim's row in a notebook's table of claims."""
    for table in ran.get("tables", ()):
        for cells in table["rows"]:
            if len(cells) == 3 and cells[0] == f"“{claim.quote}”":
                return cells
    return None


def _when(part: dict, whole: dict) -> str:
    stamp = part if "machine" in part else whole
    return f"{stamp['date']}, {stamp['machine']}" if "machine" in stamp else ""


def _row(claim: Claim, known: OnRecord, folder: str) -> str:
    when = f"<br><small>{html.escape(known.when)}</small>" if known.when else ""
    verdict = f'<span class="verdict {GROUPS[known.verdict]}">{known.verdict}</span>'
    cells = (
        str(claim.number),
        f"“{_text(claim.quote)}”",
        _place(claim, folder),
        f"{_text(known.words)}{when}",
    )
    return f"| {' | '.join((*cells, verdict))} |"


def _place(claim: Claim, folder: str) -> str:
    """A link to where the claim runs; "" for one that runs nowhere."""
    if not claim.notebook:
        return f"`{claim.command}`" if claim.command else ""
    target = posixpath.relpath(f"notebooks/{claim.notebook}.ipynb", folder or ".")
    anchor = f"#{claim.section.replace(' ', '-')}" if claim.section else ""
    name = claim.notebook.rpartition("/")[2]
    return f"[{_text(claim.section or name)}](<{target}{anchor}>)<br><small>{_text(name)}</small>"


def _filter(counts: Counter) -> str:
    """A choice of verdicts: the style sheet hides the other rows, so no script is needed."""
    choices = [("all", f"all {counts.total()}")]
    choices += [
        (name, f"{verdict} ({counts[verdict]})") for verdict, name in GROUPS.items() if counts[verdict]
    ]
    buttons = (
        f'<label><input type="radio" name="verdict" value="{name}"{" checked" * (name == "all")}> '
        f"{text}</label>"
        for name, text in choices
    )
    return f'<fieldset class="verdicts"><legend>Show</legend>{"".join(buttons)}</fieldset>'


def _text(words: str) -> str:
    """Text for a cell of a table, with nothing in it that Markdown would read as a sign."""
    return re.sub(r"([\\`*_\[\]<>|])", r"\\\1", " ".join(words.split()))
