"""What graded results look like: scores as CSV, feedback for each student, a page for the class.

Everything that comes from a student is escaped: in pages, in Markdown, in cells of a spreadsheet, in names of
files. Answers to open questions go to ``open.csv``; points written there by a person count from the next run
on. Knows nothing of how points are earned.
"""

import csv
import html
import io
from pathlib import Path

from fsdl_course.grading.grade import slug

OPEN_COLUMNS = ("lab", "student", "question", "max", "points", "comment", "answer")
STYLE = """
body {font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem}
table {border-collapse: collapse; width: 100%} img {max-width: 100%}
td, th {padding: .3rem .6rem; text-align: left; vertical-align: top; border-bottom: 1px solid #ddd}
td.n, th.n {text-align: right; font-variant-numeric: tabular-nums}
code {background: #f4f4f4; padding: 0 .2rem; overflow-wrap: anywhere}
.no {color: #b00020} .ok {color: #1b7837}
"""


def write(results: list[dict], out: Path, given: dict | None = None) -> None:
    """Write everything under ``out``: scores.csv, open.csv, feedback/LAB/STUDENT.html and .md, index.html.

    ``given`` are points of open answers by (lab, student, question), for those without points in open.csv.
    """
    out.mkdir(parents=True, exist_ok=True)
    by_hand(results, out / "open.csv", given or {})
    scores(results, out / "scores.csv")
    for result in results:
        folder = out / "feedback" / slug(result["lab"])
        folder.mkdir(parents=True, exist_ok=True)
        place = folder / slug(result["student"])
        place.with_name(place.name + ".html").write_text(page_of(result), encoding="utf-8")
        place.with_name(place.name + ".md").write_text(markdown_of(result), encoding="utf-8")
    (out / "index.html").write_text(summary(results), encoding="utf-8")


def by_hand(results: list[dict], path: Path, elsewhere: dict) -> None:
    """Join the open answers with the points that a person gave in ``path``, and write ``path`` anew.

    ValueError names the row whose points are no number between 0 and the question's.
    """
    given = {}
    if path.exists():
        with path.open(encoding="utf-8-sig", newline="") as lines:
            for number, row in enumerate(csv.DictReader(lines), 2):
                place = tuple(row.get(column, "") for column in ("lab", "student", "question"))
                given[place] = (number, (row.get("points") or "").strip(), row.get("comment") or "")
    rows = []
    for result in results:
        for answer in result["open"]:
            place = tuple(map(_cell, (result["lab"], result["student"], answer["id"])))
            number, points, comment = given.get(place, (0, "", ""))
            points = points or str(elsewhere.get(place, "" if answer["answer"] else "0"))
            try:
                answer["points"] = float(points) if points else None
                if points and not 0 <= answer["points"] <= answer["max"]:
                    raise ValueError
            except ValueError:
                raise ValueError(
                    f"{path}, line {number}: {points!r} is no number of points from 0 to {answer['max']}"
                ) from None
            answer["comment"] = comment
            rows.append([*place, answer["max"], points, comment, _cell(answer["answer"])])
    text = io.StringIO()
    csv.writer(text).writerows([OPEN_COLUMNS, *rows])
    path.write_text(text.getvalue(), encoding="utf-8", newline="")


def total(result: dict) -> float:
    """All points so far: those of functions, and those that a person gave."""
    return result["score"] + sum(answer["points"] or 0 for answer in result["open"])


def most(result: dict) -> int:
    return result["max"] + sum(answer["max"] for answer in result["open"])


def waiting(result: dict) -> int:
    """How many open answers no person has graded yet."""
    return sum(answer["points"] is None for answer in result["open"])


def scores(results: list[dict], path: Path) -> None:
    """One row a submission: its points by question, in all, and what could not be read."""
    names = sorted(
        {question["id"] for result in results for question in result["questions"] + result["open"]}
    )
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["lab", "student", "points", "max", "waiting", *names, "problem", "file"])
    for result in results:
        points = {question["id"]: question["points"] for question in result["questions"]}
        points |= {
            answer["id"]: "" if answer["points"] is None else answer["points"] for answer in result["open"]
        }
        rows.writerow(
            [
                *map(_cell, (result["lab"], result["student"])),
                *(_number(total(result)), most(result), waiting(result)),
                *(_number(points.get(name, "")) for name in names),
                *map(_cell, (result["problem"], result["origin"])),
            ]
        )
    path.write_text(text.getvalue(), encoding="utf-8", newline="")


def _number(points: float | str) -> float | int | str:
    return int(points) if isinstance(points, float) and points.is_integer() else points


def _cell(text: str) -> str:
    """Text that a spreadsheet will not take for a formula."""
    return "'" + text if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def page_of(result: dict) -> str:
    """The feedback of one student as a page."""
    rows = []
    for question in result["questions"]:
        rows.append(
            f"<tr><th>{_e(question['id'])} {_e(question['title'])}</th>"
            f"<th class=n>{question['points']} of {question['max']}</th></tr>"
        )
        for part in question["parts"]:
            mark = '<span class="no">✗</span>' if part["problem"] else '<span class="ok">✓</span>'
            call = f"<br><code>{_e(part['call'])}</code>" if part["call"] else ""
            said = f"{call}<br>{_e(part['problem'])}" if part["problem"] else ""
            rows.append(
                f"<tr><td>{mark} {_e(part['name'])}{said}</td>"
                f"<td class=n>{part['points']} of {part['max']}</td></tr>"
            )
    for answer in result["open"]:
        points = (
            "a person will grade it"
            if answer["points"] is None
            else f"{answer['points']:g} of {answer['max']}"
        )
        said = f"<br>{_e(answer['comment'])}" if answer["comment"] else ""
        text = _e(answer["answer"][:2000]) or "no answer"
        rows.append(f"<tr><th>{_e(answer['id'])} {_e(answer['title'])}</th><th class=n>{points}</th></tr>")
        rows.append(f"<tr><td colspan=2>{text}{said}</td></tr>")
    notes = "".join(f"<li>{_e(note)}</li>" for note in result["notes"])
    notes = f"<p>Cells that did not run to their end:</p><ul>{notes}</ul>" if notes else ""
    problem = f'<p class="no">{_e(result["problem"])}</p>' if result["problem"] else ""
    heading = f"{_e(result['lab'])}: {_e(result['student'])}"
    body = f"<h1>{heading}</h1><p>{total(result):g} of {most(result)} points</p>{problem}{notes}"
    return _page(heading, f"{body}<table>{''.join(rows)}</table>")


def markdown_of(result: dict) -> str:
    """The same as text."""
    lines = [
        f"# {_m(result['lab'])}: {_m(result['student'])}",
        "",
        f"{total(result):g} of {most(result)} points",
        "",
    ]
    if result["problem"]:
        lines += [_m(result["problem"]), ""]
    lines += [f"- {_m(note)}" for note in result["notes"]] + [""] * bool(result["notes"])
    for question in result["questions"]:
        lines.append(f"## {question['id']} {question['title']}: {question['points']} of {question['max']}")
        lines.append("")
        for part in question["parts"]:
            lines.append(
                f"- {'✗' if part['problem'] else '✓'} {part['name']}: {part['points']} of {part['max']}"
            )
            lines += [f"  - {_m(part['call'])}"] * bool(part["call"])
            lines += [f"  - {_m(part['problem'])}"] * bool(part["problem"])
        lines.append("")
    for answer in result["open"]:
        points = (
            "a person will grade it"
            if answer["points"] is None
            else f"{answer['points']:g} of {answer['max']}"
        )
        lines += [f"## {answer['id']} {answer['title']}: {points}", "", _m(answer["comment"]), ""]
    return "\n".join(lines).rstrip() + "\n"


def summary(results: list[dict]) -> str:
    """The class at a glance: a plot of each lab's questions, a row for each submission."""
    parts = []
    for lab in sorted({result["lab"] for result in results}):
        chosen = [result for result in results if result["lab"] == lab]
        graded = [result for result in chosen if result["questions"]]
        parts.append(f"<h2>{_e(lab) if graded else 'Of no known lab'}</h2>")
        if graded:
            mean = sum(map(total, graded)) / len(graded)
            parts.append(
                f"<p>{len(chosen)} submissions, {mean:.1f} of {most(graded[0])} points on average.</p>"
            )
            alt = f"how many submissions of {lab} got how many points, question by question"
            parts.append(f'<img alt="{alt}" src="data:image/svg+xml;base64,{_plot(graded)}">')
        parts.append("<table><tr><th>student</th><th class=n>points</th><th>what is missing</th></tr>")
        for result in chosen:
            link = f"feedback/{slug(lab)}/{slug(result['student'])}.html"
            lost = [
                question["id"] for question in result["questions"] if question["points"] < question["max"]
            ]
            said = result["problem"] or ", ".join(lost)
            if waiting(result):
                said += f"{'; ' if said else ''}open answers that wait for a person: {waiting(result)}"
            parts.append(
                f'<tr><td><a href="{html.escape(link)}">{_e(result["student"])}</a></td>'
                f"<td class=n>{total(result):g} of {most(result)}</td><td>{_e(said)}</td></tr>"
            )
        parts.append("</table>")
    return _page("Results", "<h1>Results</h1>" + "".join(parts))


def _plot(results: list[dict]) -> str:
    """One small bar chart a question, as SVG in base64: points on the x axis, submissions on the y axis."""
    import base64

    from matplotlib.figure import Figure

    titles = [question["id"] for question in results[0]["questions"]]
    figure = Figure(figsize=(max(3, 1.9 * len(titles)), 2.2), layout="constrained")
    axes = figure.subplots(1, len(titles), sharey=True, squeeze=False)[0]
    for axis, name in zip(axes, titles, strict=True):
        found = [question for result in results for question in result["questions"] if question["id"] == name]
        most_points = found[0]["max"]
        counts = [
            sum(question["points"] == points for question in found) for points in range(most_points + 1)
        ]
        axis.bar(range(most_points + 1), counts, color=["#d55e00"] + ["#0072b2"] * most_points, width=0.8)
        axis.set(title=name, xlabel="points", xticks=range(most_points + 1))
        axis.yaxis.get_major_locator().set_params(integer=True)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("submissions")
    picture = io.BytesIO()
    figure.savefig(picture, format="svg", metadata={"Date": None})
    return base64.b64encode(picture.getvalue()).decode()


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f"<style>{STYLE}</style>{body}</html>\n"
    )


def _e(text: object) -> str:
    return html.escape(str(text))


def _m(text: str) -> str:
    """One line of a student's text as code in Markdown, so that nothing in it is markup."""
    line = " ".join(str(text).split())
    return f"`` {line.replace('`', chr(0x2019))} ``" if line else ""
