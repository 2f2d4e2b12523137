"""The class at a glance: a plot of each lab's questions, a row for each submission."""

import base64
import io

from fsdl_course.grading.item_analysis import ItemRow, page_part
from fsdl_course.grading.pages import escaped, page
from fsdl_course.grading.points import earned, most, total, waiting
from fsdl_course.grading.submissions import slug


def summary(results: list[dict], items: list[ItemRow]) -> str:
    """The page: for each lab a plot of its questions, what was hard in them, a row for each submission."""
    parts = []
    for lab in sorted({result["lab"] for result in results}):
        chosen = [result for result in results if result["lab"] == lab]
        graded = [result for result in chosen if result["questions"]]
        parts.append(f"<h2>{escaped(lab) if graded else 'Of no known lab'}</h2>")
        if graded:
            mean = sum(map(total, graded)) / len(graded)
            parts.append(
                f"<p>{len(chosen)} submissions, {mean:.1f} of {most(graded[0])} points on average.</p>"
            )
            alt = f"how many submissions of {lab} got how many points, question by question"
            parts.append(f'<img alt="{alt}" src="data:image/svg+xml;base64,{_plot(graded)}">')
            parts.append(page_part([row for row in items if row.lab == lab]))
        parts.append("<table><tr><th>student</th><th class=n>points</th><th>what is missing</th></tr>")
        for result in chosen:
            link = f"feedback/{slug(lab)}/{slug(result['student'])}.html"
            lost = [question["id"] for question in result["questions"] if earned(question) < question["max"]]
            remark = result["problem"] or ", ".join(lost)
            if waiting(result):
                remark += f"{'; ' if remark else ''}open answers that wait for a person: {waiting(result)}"
            parts.append(
                f'<tr><td><a href="{escaped(link)}">{escaped(result["student"])}</a></td>'
                f"<td class=n>{total(result):g} of {most(result)}</td><td>{escaped(remark)}</td></tr>"
            )
        parts.append("</table>")
    return page("Results", "<h1>Results</h1>" + "".join(parts))


def _plot(results: list[dict]) -> str:
    """One small bar chart a question, as SVG in base64: points on the x axis, submissions on the y axis."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    titles = [question["id"] for question in results[0]["questions"]]
    figure = Figure(figsize=(max(3, 1.9 * len(titles)), 2.2), layout="constrained")
    axes = figure.subplots(1, len(titles), sharey=True, squeeze=False)[0]
    for axis, name in zip(axes, titles, strict=True):
        same = [question for result in results for question in result["questions"] if question["id"] == name]
        highest = same[0]["max"]
        counts = [sum(question["points"] == points for question in same) for points in range(highest + 1)]
        axis.bar(range(highest + 1), counts, color=["#d55e00"] + ["#0072b2"] * highest, width=0.8)
        axis.set(title=name, xlabel="points", xticks=range(0, highest + 1, -(-highest // 5) or 1))
        axis.yaxis.get_major_locator().set_params(integer=True)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("submissions")
    picture = io.BytesIO()
    with rc_context({"svg.hashsalt": "class"}):  # the same results give the same page
        figure.savefig(picture, format="svg", metadata={"Date": None})
    return base64.b64encode(picture.getvalue()).decode()
