"""The feedback on a hand-in of lab 10 as a page: verdicts and their evidence first, points at the end.

Whatever comes from a student or from a service is escaped.
"""

import base64
import io
from pathlib import Path

from fsdl_course.capstone import points, replay_figure
from fsdl_course.capstone.brief import Brief
from fsdl_course.capstone.points import BROKEN, HELD, UNKNOWN, Criterion
from fsdl_course.capstone.verdicts import CriterionVerdict
from fsdl_course.grading.pages import escaped, page

SHOWN = 3  # events of a verdict that stand open; the others are a click away
PRINTED = '<pre style="white-space: pre-wrap; overflow-wrap: anywhere">{}</pre>'
NAMES = {
    "answer": "a request", "looked up": "a card looked up", "ended": "after SIGTERM it ended",
    "died": "it ended by itself", "disk full": "STATE was full", "pictures": "what it left behind",
}  # fmt: skip
CAUSES = ("never ready", "died", "disk full")  # what explains the rest
HEADINGS = {BROKEN: "Broken", UNKNOWN: "Unknown", HELD: "Held"}
MEANS = {
    BROKEN: "Each with the events that show it. Begin with the first: later ones may follow from it.",
    UNKNOWN: "The record proves nothing, because too few cards were read or the machine was too busy to say.",
    HELD: "In every round.",
}


def feedback_page(
    student: str,
    brief: Brief,
    verdicts: list[CriterionVerdict],
    problem: str = "",
    history: Path | None = None,
) -> str:
    """The page. ``problem``: why there are no verdicts; ``history``: of the round that is drawn."""
    by_name = {verdict.criterion: verdict for verdict in verdicts}
    heading = f"Lab 10: {escaped(student)}"
    counts = [sum(v.verdict == name for v in verdicts) for name in HEADINGS]
    summary = ", ".join(f"{count} {name}" for count, name in zip(counts, HEADINGS, strict=True))
    text = f"<h1>{heading}</h1><p>{escaped(brief.text())}</p>"
    text += f"<p><b>{escaped(summary)}</b> of {len(points.TABLE)} criteria.</p>" if verdicts else ""
    text += f'<p class="no">{escaped(problem)}</p>' if problem else ""
    text += _causes(verdicts)
    for name, title in HEADINGS.items():
        rows = [
            (c, by_name[c.name])
            for c in points.TABLE
            if c.name in by_name and by_name[c.name].verdict == name
        ]
        if rows:
            text += f"<h2>{title}</h2><p>{MEANS[name]}</p>"
            text += _held(rows) if name == HELD else "".join(_section(*row) for row in rows)
    return page(heading, text + _drawn(history) + _points(by_name))


def _causes(verdicts: list[CriterionVerdict]) -> str:
    """What to read first: events after which nothing else can be right."""
    events = [event for verdict in verdicts for event in verdict.evidence if event.get("what") in CAUSES]
    if not events:
        return ""
    return f"<h2>Look at this first</h2><p>{described(events[0])}</p>"


def _section(criterion: Criterion, verdict: CriterionVerdict) -> str:
    head = f"<h3>{escaped(criterion.name)}</h3><p>It is held if {escaped(criterion.held)}.<br>"
    text = head + f'<b class="no">{escaped(verdict.why)}</b></p>'
    events = [f"<li>{described(event)}</li>" for event in verdict.evidence]
    if events:
        text += f"<ul>{''.join(events[:SHOWN])}</ul>"
    if more := events[SHOWN:]:
        text += f"<details><summary>{len(more)} more</summary><ul>{''.join(more)}</ul></details>"
    return text


def described(event: dict) -> str:
    """An event of the history as HTML: when, what, and its fields, the log as it was printed."""
    when = f"{event['t']:.1f} s: " if "t" in event else ""
    what = f"{escaped(NAMES.get(event['what'], event['what']))}: " if "what" in event else ""
    log = str(event.get("log", "")).strip()
    fields = {
        key: value
        for key, value in event.items()
        if key not in ("t", "what", "log") and (value not in ("", 0, {}, []) or key == "status")
    }
    text = ", ".join(f"{escaped(key)} <code>{escaped(_short(value))}</code>" for key, value in fields.items())
    return f"{when}{what}{text}" + (PRINTED.format(escaped(log)) if log else "")


def _short(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_short(item)}" for key, item in value.items()) or "nothing"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _held(rows: list[tuple[Criterion, CriterionVerdict]]) -> str:
    lines = [f"<tr><td>{escaped(c.name)}</td><td>{escaped(v.why)}</td></tr>" for c, v in rows]
    return f"<table>{''.join(lines)}</table>"


def _drawn(history: Path | None) -> str:
    if history is None or not history.exists():
        return ""
    import matplotlib.pyplot as plt

    figure, says = replay_figure.drawn(history)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=110)
    plt.close(figure)
    data = base64.b64encode(picture.getvalue()).decode()
    grey = "Grey: what was done to the service."
    return f'<h2>A replay</h2><p>{grey}</p><img alt="{escaped(says)}" src="data:image/png;base64,{data}">'


def _points(by_name: dict[str, CriterionVerdict]) -> str:
    rows, total = [], 0
    for criterion in points.TABLE:
        verdict = by_name[criterion.name].verdict if criterion.name in by_name else BROKEN
        earned = criterion.points if verdict == HELD else 0
        total += earned
        rows.append(
            f"<tr><td>{escaped(criterion.name)}</td><td>{escaped(verdict)}</td>"
            f"<td class=n>{earned} of {criterion.points}</td></tr>"
        )
    last = f"<tr><th>together</th><th></th><th class=n>{total} of {points.TOTAL}</th></tr>"
    note = "The decision record is graded by a person; its points come on top."
    return f"<h2>Points</h2><table>{''.join(rows)}{last}</table><p>{note}</p>"
