"""Charts from the records in ``models/``: versions, the ladder, students, serving, drift, edge"""

from fsdl_course.notebooks.record_lookup import Records
from fsdl_course.slides.charts_form import HIGH, WIDE, bars, rows_of
from fsdl_deploy.figures import PALETTE

LEVELS = ("clean", "typical", "hard")
VERSIONS = ("v1", "v2", "v3-bad", "teacher")


def versions(known: Records):
    """The share of cards read right by each version, on cards of three levels, with 95 % intervals."""
    import matplotlib.pyplot as plt

    measured = known.read("report")["measured"]
    figure, axes = plt.subplots(figsize=(WIDE, HIGH))
    for shift, (level, color) in enumerate(zip(LEVELS, PALETTE, strict=False)):
        rows = [measured[version][level] for version in VERSIONS]
        shares = [100 * row["exact_match"] for row in rows]
        low = [share - 100 * row["interval"][0] for share, row in zip(shares, rows, strict=True)]
        high = [100 * row["interval"][1] - share for share, row in zip(shares, rows, strict=True)]
        places = [place + 0.26 * (shift - 1) for place in range(len(VERSIONS))]
        axes.bar(places, shares, 0.25, yerr=(low, high), color=color, label=level, capsize=4)
    axes.set_xticks(range(len(VERSIONS)), VERSIONS)
    axes.grid(axis="x", visible=False)
    axes.set(xlabel="version of the model", ylabel="cards read right (%)", ylim=(0, 118))
    axes.legend(ncols=3, loc="upper center")
    return figure


def ladder(known: Records):
    """Cards a second on each rung of the ladder of optimization."""
    rungs = [rung for rung in rows_of(known, "ladder", "rungs") if not rung["aside"]]
    names = [rung["rung"] for rung in rungs]
    rates = [rung["per_second"] for rung in rungs]
    colors = [PALETTE[1] if rung["right"] < rungs[0]["right"] else PALETTE[0] for rung in rungs]
    return bars(
        names, rates, "cards a second", "{:,.0f}", colors, xscale="log", xlim=(min(rates) / 2, 8 * max(rates))
    )


def students(known: Records):
    """Students of three sizes, trained alone and taught: the share of cards read right."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(WIDE, HIGH))
    rows = sorted(rows_of(known, "sizes", "students"), key=lambda row: row["multiply_adds"])
    for taught, name, color in ((False, "trained alone", PALETTE[6]), (True, "taught", PALETTE[0])):
        own = [row for row in rows if row["taught"] is taught]
        size = [row["multiply_adds"] / 1e6 for row in own]
        right = [100 * row["right"] / row["cards"] for row in own]
        low = [share - 100 * row["interval"][0] for share, row in zip(right, own, strict=True)]
        high = [100 * row["interval"][1] - share for share, row in zip(right, own, strict=True)]
        axes.errorbar(size, right, (low, high), fmt="o-", color=color, label=name, capsize=5)
    axes.set(xlabel="multiplications for a card (millions)", ylabel="cards read right (%)", xscale="log")
    axes.legend(loc="lower right")
    return figure


def quantization(known: Records):
    """The share of cards read right after rounding to few bits, with 95 % intervals."""
    import matplotlib.pyplot as plt

    rows = [row for row in rows_of(known, "quantization", "rows") if "where" in row]
    right = [100 * row["right"] / row["cards"] for row in rows]
    low = [share - 100 * row["interval"][0] for share, row in zip(right, rows, strict=True)]
    high = [100 * row["interval"][1] - share for share, row in zip(right, rows, strict=True)]
    figure, axes = plt.subplots(figsize=(WIDE, HIGH))
    axes.errorbar(right, range(len(rows)), xerr=(low, high), fmt="o", color=PALETTE[0], capsize=4)
    axes.set_yticks(range(len(rows)), [row["name"] for row in rows])
    axes.invert_yaxis()
    axes.set(xlabel="cards read right (%), with 95 % intervals")
    return figure


def serving(known: Records):
    """Cards a second by each serving library, with 32 callers."""
    rows = [row for row in rows_of(known, "serving", "rows") if row["load"] == "closed, 32"]
    rows.sort(key=lambda row: -row["per_second"])
    colors = [PALETTE[1] if row["library"] == "our service" else PALETTE[0] for row in rows]
    names = [row["library"] for row in rows]
    return bars(names, [row["per_second"] for row in rows], "cards a second, 32 callers", "{:.0f}", colors)


def batching(known: Records):
    """How many times as many cards a second each library answers in batches, with the most callers."""
    rows = known.read("serving")["batching"]["rows"]
    most = max(row["users"] for row in rows)
    rows = sorted((row for row in rows if row["users"] == most), key=lambda row: -row["factor"])
    factors = [row["factor"] for row in rows]
    figure = bars([row["library"] for row in rows], factors, "cards a second, batched ÷ single", "× {:.2f}")
    figure.axes[0].axvline(1, color=PALETTE[6], linestyle="--")
    return figure


def web(known: Records):
    """Processor time that one request costs our own server, part by part of the web server exchanged."""
    rows = known.read("serving")["web"]["rows"]
    return bars(
        [row["rung"] for row in rows], [row["cpu_ms"] for row in rows], "processor time a card (ms)", "{:.1f}"
    )


def drift(known: Records):
    """Points of accuracy that each drift costs, with 95 % intervals."""
    rows = sorted(rows_of(known, "drift", "rows"), key=lambda row: -row["lost"])
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(WIDE, HIGH))
    lost = [row["lost"] for row in rows]
    spread = (
        [row["lost"] - row["lost_from"] for row in rows],
        [row["lost_to"] - row["lost"] for row in rows],
    )
    axes.barh(range(len(rows)), lost, xerr=spread, color=PALETTE[1], capsize=4)
    axes.set_yticks(range(len(rows)), [row["drift"] for row in rows], fontsize=16)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set(xlabel="readings lost (points of a hundred)")
    return figure


def targets(known: Records):
    """Size of the smallest file of the reader that each runtime of the edge takes."""
    parts = {name: part for name, part in known.read("edge").items() if isinstance(part, dict)}
    sized = {name: [row for row in part.get("rows", ()) if row.get("size")] for name, part in parts.items()}
    least = {name: min(rows, key=lambda row: row["size"]) for name, rows in sized.items() if rows}
    ordered = sorted(least.items(), key=lambda pair: -pair[1]["size"])
    names = [f"{name.replace('_', ' ')}, {row['precision']}" for name, row in ordered]
    sizes = [row["size"] / 1000 for _, row in ordered]
    colors = [PALETTE[0] if row["precision"].startswith("float") else PALETTE[1] for _, row in ordered]
    return bars(names, sizes, "smallest file of the reader (kB)", "{:,.0f}", colors)


CHARTS = {
    function.__name__: function
    for function in (versions, ladder, students, quantization, serving, batching, web, drift, targets)
}
