"""Charts of the slides, each drawn from a record when a deck is built, large enough for the last row.

Each function in ``CHARTS`` takes the repository's folder and returns a figure of matplotlib. What the chart
shows is said by the deck that shows it. Knows nothing of Marp.
"""

import io
from collections.abc import Callable
from pathlib import Path

from fsdl_course.notebooks.record_lookup import QuoteError, Records
from fsdl_course.slides import charts_cards, charts_models, charts_running
from fsdl_course.slides.deck import DeckError

CHARTS: dict[str, Callable] = charts_cards.CHARTS | charts_models.CHARTS | charts_running.CHARTS


def known(name: str) -> str:
    """The name itself. DeckError where no chart is called so."""
    if name not in CHARTS:
        raise DeckError(f"there is no chart {name!r}; there are: {', '.join(CHARTS)}")
    return name


def draw(name: str, root: Path) -> str:
    """The chart ``name`` as SVG. DeckError for one that there is not, or whose record has changed."""
    import matplotlib.pyplot as plt

    from fsdl_deploy import figures

    known(name)
    figures.use()
    settings = {"font.size": 18, "axes.labelsize": 18, "xtick.labelsize": 18, "ytick.labelsize": 18}
    settings |= {"legend.fontsize": 18, "axes.titlesize": 18, "svg.hashsalt": name, "lines.markersize": 10}
    with plt.rc_context(settings):
        try:
            figure = CHARTS[name](Records(root / "models"))
        except (KeyError, QuoteError) as error:
            raise DeckError(f"the chart {name} lacks {error} in its record: was it renamed?") from None
        svg = io.StringIO()
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
        plt.close(figure)
    text = svg.getvalue()
    return text[text.index("<svg") :]
