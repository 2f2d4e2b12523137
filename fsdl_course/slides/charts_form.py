"""The form that charts of the slides share: their size, bars with their values, rows of a record"""

from fsdl_course.notebooks.record_lookup import QuoteError, Records, pick
from fsdl_deploy.figures import PALETTE

WIDE, HIGH = 12.0, 4.2  # inches of 96 pixels
MOST = 12  # bars whose names do not lie upon each other
PATCH = {"facecolor": "white", "edgecolor": "none", "pad": 1}  # a value covers the lines behind it


def bars(
    names: list[str], values: list[float], axis: str, form: str, colors: list[str] | None = None, **more
):
    """A figure with a bar for each name, the largest scale ``more`` allows, and its value at its end.

    ``axis`` names what is measured, with its unit; ``form`` writes a value: ``{:.0f} ms``. ``more`` goes to
    matplotlib's ``Axes.set``. QuoteError for more bars than a slide has room for.
    """
    import matplotlib.pyplot as plt

    if len(names) > MOST:
        raise QuoteError(f"{len(names)} bars have no room on a slide, which takes {MOST}: draw fewer")
    figure, axes = plt.subplots(figsize=(WIDE, HIGH))
    places = range(len(names))
    axes.barh(places, values, color=colors or PALETTE[0], height=0.66)
    for place, value in zip(places, values, strict=True):
        axes.annotate(
            form.format(value),
            (value, place),
            (8, 0),
            textcoords="offset points",
            va="center",
            fontsize=17,
            bbox=PATCH,
        )
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set(xlabel=axis, **more)
    axes.margins(x=0.16)
    return figure


def rows_of(known: Records, record: str, key: str) -> list[dict]:
    """The rows that a record of ``models/`` keeps under ``key``."""
    return pick(known.read(record), key, f"{record}.json")
