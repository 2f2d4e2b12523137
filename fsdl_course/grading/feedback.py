"""The feedback of one student, as a page and as Markdown: points, and what is missing.

Whatever comes from a student is escaped. Results have been through ``points.by_hand``.
"""

from fsdl_course.grading.pages import escaped, page
from fsdl_course.grading.points import earned, most, total


def page_of(result: dict) -> str:
    """The feedback of one student as a page."""
    heading = f"{escaped(result['lab'])}: {escaped(result['student'])}"
    return page(heading, f"<h1>{heading}</h1>{body_of(result)}")


def body_of(result: dict) -> str:
    """What the page says of one hand-in, without its heading."""
    rows = []
    for question in result["questions"]:
        rows.append(
            f"<tr><th>{escaped(question['id'])} {escaped(question['title'])}</th>"
            f"<th class=n>{_points(question)}</th></tr>"
        )
        if question.get("comment"):
            rows.append(f"<tr><td colspan=2>{escaped(question['comment'])}</td></tr>")
        for part in question["parts"]:
            mark = '<span class="no">✗</span>' if part["problem"] else '<span class="ok">✓</span>'
            call = f"<br><code>{escaped(part['call'])}</code>" if part["call"] else ""
            details = f"{call}<br>{escaped(part['problem'])}" if part["problem"] else ""
            rows.append(
                f"<tr><td>{mark} {escaped(part['name'])}{details}</td>"
                f"<td class=n>{part['points']} of {part['max']}</td></tr>"
            )
    for answer in result["open"]:
        points = _points_of_open(answer)
        comment = f"<br>{escaped(answer['comment'])}" if answer["comment"] else ""
        text = escaped(answer["answer"][:2000]) or "no answer"
        rows.append(
            f"<tr><th>{escaped(answer['id'])} {escaped(answer['title'])}</th><th class=n>{points}</th></tr>"
        )
        rows.append(f"<tr><td colspan=2>{text}{comment}</td></tr>")
    notes = "".join(f"<li>{escaped(note)}</li>" for note in result["notes"])
    notes = f"<p>Cells that did not run to their end:</p><ul>{notes}</ul>" if notes else ""
    problem = f'<p class="no">{escaped(result["problem"])}</p>' if result["problem"] else ""
    points = f"<p>{total(result):g} of {most(result)} points</p>"
    return f"{points}{problem}{notes}<table>{''.join(rows)}</table>"


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
        lines += [f"## {question['id']} {question['title']}: {_points(question)}", ""]
        lines += [f"{_m(question['comment'])}", ""] if question.get("comment") else []
        for part in question["parts"]:
            lines.append(
                f"- {'✗' if part['problem'] else '✓'} {part['name']}: {part['points']} of {part['max']}"
            )
            lines += [f"  - {_m(part['call'])}"] * bool(part["call"])
            lines += [f"  - {_m(part['problem'])}"] * bool(part["problem"])
        lines.append("")
    for answer in result["open"]:
        points = _points_of_open(answer)
        lines += [f"## {answer['id']} {answer['title']}: {points}", "", _m(answer["comment"]), ""]
    return "\n".join(lines).rstrip() + "\n"


def _points(question: dict) -> str:
    """A graded question's points; what its cases gave, too, where a person gave something else."""
    by_cases = f" (its cases gave {question['points']})" if earned(question) != question["points"] else ""
    return f"{earned(question):g} of {question['max']}{by_cases}"


def _points_of_open(answer: dict) -> str:
    if answer["points"] is None:
        return "a person will grade it"
    extra = f" and {answer['extra']:g} extra" if answer.get("extra") else ""
    return f"{answer['points']:g} of {answer['max']}{extra}"


def _m(text: str) -> str:
    """One line of a student's text as code in Markdown, so that nothing in it is markup."""
    line = " ".join(str(text).split())
    return f"`` {line.replace('`', chr(0x2019))} ``" if line else ""
